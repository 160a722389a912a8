use neurons::neuron;

neuron! {
    pub Bad {
        charge = v + x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
