use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        update w = 0.9 * w + spike;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
