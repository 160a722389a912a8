use neurons::neuron;

neuron! {
    pub struct Bad {
        learnabel w = 1.0;
        charge = v + w * x;
        reset hard;
    }
}

fn main() {
    let _ = Bad { w: 2.0, ..Default::default() };
}
