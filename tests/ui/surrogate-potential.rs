// A surrogate knows neither the potential nor the threshold, only their difference.
neurons::surrogate! {
    surrogate Steep {
        primitive = sigmoid(4.0 * (h - v_threshold));
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Steep);
}
