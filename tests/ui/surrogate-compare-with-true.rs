neurons::surrogate! {
    surrogate Ramp {
        let near = abs(u) < 1.0;
        primitive = if near == true { 0.5 * u } else { 0.1 * u };
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Ramp);
}
