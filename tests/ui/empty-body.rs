use neurons::neuron;

neuron! {
    pub struct Bad {}
}

fn main() {
    let _ = Bad::default();
}
