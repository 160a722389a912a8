use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        reset zero;
    }
}

fn main() {
    let _ = Bad::default();
}
