use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        update h = v;
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
