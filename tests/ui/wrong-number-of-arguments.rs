use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = clamp(v + x, 1.0);
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
