//! Surrogates: formulas, derivatives, special values, and what is made of a declaration.

mod declared;
mod digits;
mod finite;
mod formulas;
mod source;

use neuron_runtime::Surrogate;

/// Every surrogate with its defaults, and with other values of its parameters.
pub fn every_surrogate() -> Vec<Surrogate> {
    let others: [(&str, &[f64]); 25] = [
        ("ATan", &[0.1]),
        ("ATan", &[50.0]),
        ("Sigmoid", &[0.2]),
        ("Sigmoid", &[1e3]),
        ("PiecewiseQuadratic", &[0.25]),
        ("PiecewiseQuadratic", &[8.0]),
        ("PiecewiseExp", &[0.05]),
        ("PiecewiseExp", &[100.0]),
        ("SoftSign", &[0.1]),
        ("SoftSign", &[30.0]),
        ("SuperSpike", &[100.0]),
        ("Erf", &[0.3]),
        ("Erf", &[40.0]),
        ("QPseudoSpike", &[1.1]),
        ("QPseudoSpike", &[30.0]),
        ("Rect", &[0.2]),
        ("LeakyKReLU", &[-0.1, 3.0]),
        ("PiecewiseLeakyReLU", &[0.1, 0.0]),
        ("FakeNumericalGradient", &[20.0]),
        ("LogTailedReLU", &[0.3]),
        ("NonzeroSignLogAbs", &[12.0]),
        ("SquarewaveFourierSeries", &[4.0, 1.5]),
        ("SquarewaveFourierSeries", &[1.0, 40.0]),
        ("S2NN", &[0.5, 3.0]),
        ("FastSigmoid", &[7.0]),
    ];
    let others = others.map(|(name, values)| Surrogate::from_name(name, values).unwrap());
    Surrogate::all().chain(others).collect()
}
