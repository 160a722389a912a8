use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        charge = v - x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
