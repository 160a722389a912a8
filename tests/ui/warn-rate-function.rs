#![deny(deprecated)]
use neurons::neuron;

neuron! {
    pub struct Bad {
        let rate = 0.01 * (v + 55.0) / (1.0 - exp(-(v + 55.0) / 10.0));
        charge = v + rate * x;
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
