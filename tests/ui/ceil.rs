use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + ceil(x);
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
