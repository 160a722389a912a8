use neurons::neuron;

neuron! {
    pub struct Bad {
        state v = -65.0;
        charge = v + x;
        update v = if spike { v_reset } else { h };
    }
}

fn main() {
    let _ = Bad::default();
}
