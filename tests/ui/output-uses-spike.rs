use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        output = h * spike;
    }
}

fn main() {
    let _ = Bad::default();
}
