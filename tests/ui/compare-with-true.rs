use neurons::neuron;

neuron! {
    pub struct Bad {
        flag decay = true;
        charge = if decay == true { v + x } else { x };
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
