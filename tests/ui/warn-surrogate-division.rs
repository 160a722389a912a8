#![deny(deprecated)]
neurons::surrogate! {
    surrogate Wide {
        param width = 2.0;
        primitive = sigmoid(u / width);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Wide { width: 3.0 });
}
