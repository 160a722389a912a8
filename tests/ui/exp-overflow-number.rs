use neurons::neuron;

neuron! {
    pub struct Bad {
        param a = 1e400;
        charge = v + a * x;
        reset hard;
    }
}

fn main() {
    let _ = Bad { a: 2.0, ..Default::default() };
}
