use neurons::neuron;

neuron! {
    pub struct Bad {
        param n = 2.0;
        charge = v^n + x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad { n: 2.0, ..Default::default() };
}
