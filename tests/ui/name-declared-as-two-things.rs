use neurons::neuron;

neuron! {
    pub struct Bad {
        param gain = 1.0;
        flag gain = true;
        charge = v + gain * x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
