use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + ;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
