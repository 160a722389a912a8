use neurons::neuron;

neuron! {
    pub struct Bad {
        state w = 0.0 where w >= 0.0;
        charge = v + x - w;
        update w = 0.9 * w;
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
