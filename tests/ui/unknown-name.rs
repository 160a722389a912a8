use neurons::neuron;

neuron! {
    pub struct Bad {
        param tau = 2.0 where tau > 1.0;
        charge = V + (x - V) / tau;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad { tau: 3.0, ..Default::default() };
}
