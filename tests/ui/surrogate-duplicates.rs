neurons::surrogate! {
    surrogate Steep {
        param alpha = 1.0;
        param alpha = 2.0;
        primitive = sigmoid(alpha * u);
        primitive = tanh(alpha * u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep { alpha: 3.0 });
}
