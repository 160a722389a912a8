use neurons::neuron;

neuron! {
    pub struct bad {
        charge = v + x;
        reset hard | soft;
    }
}

fn main() {
    let _ = bad::default();
}
