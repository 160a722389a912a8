use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + if v = 1.0 { x } else { 0.0 };
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
