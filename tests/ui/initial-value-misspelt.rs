use neurons::neuron;

neuron! {
    pub struct Bad {
        array w_init = 0.0;
        state w = w_int;
        charge = v + x - w;
        update w = 0.9 * w;
        reset hard;
    }
}

fn main() {
    let _ = Bad { w_init: 2.0, ..Default::default() };
}
