neurons::surrogate! {
    surrogate Steep {
        gradient = max(1.0 - abs(u), 0.0);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep);
}
