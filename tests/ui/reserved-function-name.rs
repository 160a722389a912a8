use neurons::neuron;

neuron! {
    pub struct Bad {
        param exp = 1.0;
        charge = v + exp * x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
