use neurons::neuron;

neuron! {
    pub struct Bad {
        learnable gate = true;
        charge = v + if gate { x } else { 0.0 };
        reset hard;
    }
}

fn main() {
    let _ = Bad { gate: 1.0, ..Default::default() };
}
