use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v^0.5 + x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
