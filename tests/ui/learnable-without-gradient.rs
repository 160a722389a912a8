use neurons::neuron;

neuron! {
    pub struct Bad {
        learnable cutoff = 0.5;
        charge = v + if x > cutoff { x } else { 0.0 };
        reset hard;
    }
}

fn main() {
    let _ = Bad { cutoff: 1.0, ..Default::default() };
}
