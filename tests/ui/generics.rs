use neurons::neuron;

neuron! {
    pub struct Bad<T> {
        charge = v + x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
