use neurons::neuron;

neuron! {
    pub struct Bad {
        flag decay_input = true;
        charge = v + x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
