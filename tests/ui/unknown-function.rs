use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + sigm(x);
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
