use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        reset none;
    }
}

fn main() {
    let _ = Bad::default();
}
