use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + 2.0 x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
