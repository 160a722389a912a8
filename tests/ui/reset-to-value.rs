use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        reset hard = -0.1;
    }
}

fn main() {
    let _ = Bad::default();
}
