#![deny(deprecated)]
use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + ln(x);
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
