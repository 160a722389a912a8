use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x.exp();
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
