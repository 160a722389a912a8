use neurons::neuron;

neuron! {
    pub struct Bad {
        let a = b + x;
        let b = 0.5 * a;
        charge = v + a;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
