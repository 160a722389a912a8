use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        reset hard;
        reset soft;
    }
}

fn main() {
    let _ = Bad::default();
}
