use neurons::neuron;

neuron! {
    pub struct Bad {
        param a = 0.1;
        charge = v + x;
        threshold = v_threshold + a * h;
        reset hard;
    }
}

fn main() {
    let _ = Bad { a: 2.0, ..Default::default() };
}
