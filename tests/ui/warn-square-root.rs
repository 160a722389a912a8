#![deny(deprecated)]
use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = sqrt(v^2 + x^2);
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
