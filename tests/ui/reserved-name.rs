use neurons::neuron;

neuron! {
    pub struct Bad {
        param h = 1.0;
        charge = v + h * x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
