#![deny(deprecated)]
use neurons::neuron;

neuron! {
    pub struct Bad {
        input x, gate;
        charge = if gate > 0.0 { v + x } else { v };
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
