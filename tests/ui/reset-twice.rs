use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        reset hard | hard;
    }
}

fn main() {
    let _ = Bad::default();
}
