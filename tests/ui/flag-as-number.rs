use neurons::neuron;

neuron! {
    pub struct Bad {
        flag decay = true;
        charge = v + decay * x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
