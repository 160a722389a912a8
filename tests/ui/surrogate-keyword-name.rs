neurons::surrogate! {
    surrogate Steep {
        param r#type = 4.0;
        primitive = sigmoid(type * u);
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep { r#type: 3.0 });
}
