neurons::surrogate! {
    surrogate Steep {
        param a = 1.0;
        param b = 1.0;
        param c = 1.0;
        param d = 1.0;
        param e = 1.0;
        primitive = sigmoid(a * b * c * d * e * u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep::default());
}
