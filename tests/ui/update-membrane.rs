use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        update v = h;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
