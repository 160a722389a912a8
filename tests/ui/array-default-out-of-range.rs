use neurons::neuron;

neuron! {
    pub struct Bad {
        array gain = 0.0 where gain > 0.0;
        charge = v + gain * x;
        reset hard;
    }
}

fn main() {
    let _ = Bad { gain: 2.0, ..Default::default() };
}
