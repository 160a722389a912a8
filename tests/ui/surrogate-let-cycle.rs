neurons::surrogate! {
    surrogate Steep {
        let near = 0.5 * far;
        let far = near + abs(u);
        primitive = sigmoid(far * u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep);
}
