use neurons::neuron;

neuron! {
    pub struct Bad {
        param tau = 0.5 where tau > 1.0;
        param unused = 1.0;
        flag decay = 0;
        charge = V + if decay { (x - v) / tau } else { x^1.5 };
        reset hard | sotf;
    }
}

fn main() {
    let _ = Bad { tau: 2.0, unused: 1.0, decay: true, ..Default::default() };
}
