use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        threshold = 1.0;
        output = h;
    }
}

fn main() {
    let _ = Bad::default();
}
