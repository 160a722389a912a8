use neurons::neuron;

neuron! {
    pub struct Bad {
        param tau = 2.0 * v;
        charge = v + (x - v) / tau;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad { tau: 3.0, ..Default::default() };
}
