use neurons::neuron;

neuron! {
    pub struct Bad {
        learnable v_threshold = 1.0;
        charge = v + x;
        output = h;
    }
}

fn main() {
    let _ = Bad::default();
}
