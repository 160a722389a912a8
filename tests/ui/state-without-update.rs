use neurons::neuron;

neuron! {
    pub struct Bad {
        state u = 0.0;
        charge = v + x - u;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
