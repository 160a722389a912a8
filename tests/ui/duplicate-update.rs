use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x - u;
        state u = 0.0;
        update u = 0.5 * u;
        update u = 0.9 * u;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
