use neurons::neuron;

neuron! {
    pub struct Bad {
        flag decay = 1;
        charge = v + if decay { x - v } else { x };
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad { decay: true, ..Default::default() };
}
