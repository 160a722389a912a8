neurons::surrogate! {
    surrogate Steep {
        primitive = exp(u) / (1.0 + exp(u));
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep);
}
