use neurons::neuron;

neuron! {
    pub struct Bad {
        let drive = gain * x;
        let twice = 2.0 * drive;
        charge = v + drive + twice;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
