use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + 1.0f32 * x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
