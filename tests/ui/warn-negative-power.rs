#![deny(deprecated)]
use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x + v^-2;
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
