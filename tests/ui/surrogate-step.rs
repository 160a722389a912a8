neurons::surrogate! {
    surrogate Step {
        primitive = if u < 0.0 { 0.0 } else { 1.0 };
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Step);
}
