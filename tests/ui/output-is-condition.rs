use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        output = h > 1.0;
    }
}

fn main() {
    let _ = Bad::default();
}
