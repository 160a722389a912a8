neurons::surrogate! {
    surrogate Steep {
        param alpha = 4.0;
        primitive = sigmoid(alhpa * u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep { alpha: 3.0 });
}
