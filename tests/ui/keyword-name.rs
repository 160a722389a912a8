use neurons::neuron;

neuron! {
    pub struct Bad {
        param type = 1.0;
        charge = v + type * x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
