neurons::surrogate! {
    surrogate Flat {
        param alpha = 1.0;
        primitive = alpha / 2.0;
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Flat { alpha: 1.0 });
}
