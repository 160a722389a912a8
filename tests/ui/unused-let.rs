use neurons::neuron;

neuron! {
    pub struct Bad {
        let drive = 2.0 * x;
        charge = v + x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
