use neurons::neuron;

neuron! {
    pub struct Bad {
        array threshold_shift = 0.0;
        charge = v + x;
        threshold = v_threshold + treshold_shift;
        reset hard;
    }
}

fn main() {
    let _ = Bad { threshold_shift: 2.0, ..Default::default() };
}
