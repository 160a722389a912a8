use neurons::neuron;

neuron! {
    pub struct Bad {
        let feedback = 0.5 * spike;
        charge = v + x - feedback;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
