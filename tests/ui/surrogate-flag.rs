neurons::surrogate! {
    surrogate Steep {
        flag wide = true;
        primitive = sigmoid(u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep);
}
