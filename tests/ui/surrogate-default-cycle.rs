neurons::surrogate! {
    surrogate Steep {
        param alpha = 2.0 * beta;
        param beta = 0.5 * alpha;
        primitive = sigmoid(alpha * u) + beta * tanh(u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep { alpha: 3.0, beta: 1.0 });
}
