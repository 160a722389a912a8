use neurons::neuron;

neuron! {
    pub struct Bad(f32);
}

fn main() {
    let _ = Bad::default();
}
