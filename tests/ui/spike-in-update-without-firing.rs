use neurons::neuron;

neuron! {
    pub struct Bad {
        state trace = 0.0;
        charge = v + x - trace;
        output = h;
        update trace = 0.9 * trace + spike;
    }
}

fn main() {
    let _ = Bad::default();
}
