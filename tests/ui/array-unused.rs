use neurons::neuron;

neuron! {
    pub struct Bad {
        array gain = 1.0;
        charge = v + x;
        reset hard;
    }
}

fn main() {
    let _ = Bad { gain: 2.0, ..Default::default() };
}
