use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = 0.5 * v;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
