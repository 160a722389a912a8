use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        reset v = v_reset;
    }
}

fn main() {
    let _ = Bad::default();
}
