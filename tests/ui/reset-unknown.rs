use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        reset hart;
    }
}

fn main() {
    let _ = Bad::default();
}
