use neurons::neuron;

neuron! {
    pub struct Bad {
        param grad_x = 1.0;
        charge = v + grad_x * x;
        reset hard | soft;
    }
}

fn main() {
    let _ = Bad::default();
}
