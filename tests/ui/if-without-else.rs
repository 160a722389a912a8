use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + if v < 1.0 { x };
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
