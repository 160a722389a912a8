use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + pow(x, 2);
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
