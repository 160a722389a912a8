neurons::surrogate! {
    surrogate Steep {
        param alpha = 1.0 where alpha > 0.0;
        primitive = sigmoid(u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep { alpha: 3.0 });
}
