use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x**2;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
