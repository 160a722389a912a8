use neurons::neuron;

neuron! {
    pub struct Bad {
        learnable w = 1.0;
        state w = 0.0;
        charge = v + w * x;
        update w = 0.9 * w;
        reset hard;
    }
}

fn main() {
    let _ = Bad { w: 2.0, ..Default::default() };
}
