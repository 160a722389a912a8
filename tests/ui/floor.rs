use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + floor(x);
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
