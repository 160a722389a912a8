use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + round(x, 2);
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
