use neurons::neuron;

neuron! {
    pub struct Bad {
        charge = v + x;
        output = h;
        output = v;
    }
}

fn main() {
    let _ = Bad::default();
}
