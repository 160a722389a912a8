use neurons::neuron;

neuron! {
    pub struct Bad {
        param decay = true;
        charge = v + if decay { x - v } else { x };
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
