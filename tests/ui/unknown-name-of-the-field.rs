use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        threshold = v_th;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
