neurons::surrogate! {
    surrogate Steep {
        param alpha = 0.0 where alpha > 0.0;
        primitive = sigmoid(alpha * u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep { alpha: 3.0 });
}
