use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v > 0.0 ? v + x : x;
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
