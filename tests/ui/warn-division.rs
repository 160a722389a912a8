#![deny(deprecated)]
use neurons::neuron;

neuron! {
    pub struct Bad {
        param tau = 2.0;
        charge = v + (x - (v - v_reset)) / tau;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad { tau: 3.0, ..Default::default() };
}
