use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        state u = 0.0;
        update u = h;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
