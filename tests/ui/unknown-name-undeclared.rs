use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + gain * x - gain;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
