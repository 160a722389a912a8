use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + I;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
