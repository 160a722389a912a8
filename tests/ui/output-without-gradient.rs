#![deny(deprecated)]
use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        output = if h > 1.0 { 1.0 } else { 0.0 };
    }
}

fn main() {
    let _ = Bad::default();
}
