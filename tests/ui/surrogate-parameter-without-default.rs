neurons::surrogate! {
    surrogate Steep {
        param alpha;
        primitive = sigmoid(alpha * u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep { alpha: 3.0 });
}
