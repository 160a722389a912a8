use neurons::neuron;

neuron! {
    pub struct Bad {
        learnable w = x;
        charge = v + w * x;
        reset hard;
    }
}

fn main() {
    let _ = Bad { w: 2.0, ..Default::default() };
}
