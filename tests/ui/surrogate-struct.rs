neurons::surrogate! {
    pub struct Steep {
        primitive = sigmoid(4.0 * u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep);
}
