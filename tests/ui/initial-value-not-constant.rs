use neurons::neuron;

neuron! {
    pub struct Bad {
        state u = 0.5 * v;
        charge = v + x - u;
        update u = 0.9 * u;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
