use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = if v { v + x } else { x };
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
