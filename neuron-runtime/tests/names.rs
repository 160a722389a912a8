//! Declarations may use any name that the language does not: those of the runtime's own types, of the loops in
//! generated code, of constants beside them.
#![allow(missing_docs, dead_code, non_snake_case)]

use neuron_runtime::{gradcheck, neuron};

const E_L: f64 = -0.3;

// What a user's module may call by these names.
type Result<T> = std::result::Result<T, String>;
struct Some;

neuron! {
    struct Call { param E_L = 0.1; state w = E_L; charge = v + x + E_L - w; update w = 0.5 * w; reset hard; }
}
neuron! {
    struct Value {
        param t = 1.0; param i = 1.1; param n = 0.9; param k = 1.2; param e = 0.7; param r = 0.3;
        charge = r * v + t * i * n * k * e * x;
        reset hard | soft;
    }
}
neuron! {
    struct Neuron { state a = 0.0; threshold = v_threshold + 0.1 * a; charge = v + x; update a = 0.9 * a + spike; reset soft; }
}

#[test]
fn names_do_not_collide() -> Result<()> {
    neuron! { struct Tile { input exc, inh; charge = v + exc - inh; reset hard; } }
    let failed = |failure: neuron_runtime::gradcheck::Failure| failure.to_string();
    gradcheck(&Call { E_L, ..Call::default() }).map_err(failed)?;
    gradcheck(&Value::default()).map_err(failed)?;
    gradcheck(&Neuron::default()).map_err(failed)?;
    gradcheck(&Tile::default()).map_err(failed)?;
    Ok(())
}
