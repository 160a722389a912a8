use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        update v = h - spike * v_threshold;
        reset soft;
    }
}

fn main() {
    let _ = Bad::default();
}
