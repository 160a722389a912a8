neurons::surrogate! {
    surrogate Step {
        primitive = u >= 0.0;
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Step);
}
