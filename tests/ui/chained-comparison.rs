use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + if 0.0 < v < 1.0 { x } else { 0.0 };
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
