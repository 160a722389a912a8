#![deny(deprecated)]
neurons::surrogate! {
    surrogate Logarithm {
        param shift = 1.0;
        let rise = ln(shift + abs(u));
        primitive = if u < 0.0 { -rise } else { rise };
    }
}
fn main() {
    let _ = neurons::Surrogate::from(Logarithm { shift: 3.0 });
}
