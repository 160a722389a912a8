use neurons::neuron;

neuron! {
    pub struct Bad {
        param c_m = 281.0 where c_m > 0.0;
        param g_l = 30.0;
        param e_l = -70.6;
        learnable v_t = -50.4;
        charge = v + 0.1 / c_m * (g_l * (e_l - v) + x) + if v > v_t { 1.0 } else { 0.0 };
        reset hard;
    }
}

fn main() {
    let _ = Bad::default();
}
