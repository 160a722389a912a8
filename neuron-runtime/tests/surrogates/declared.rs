//! What `surrogate!` makes of a declaration, and how surrogates are found and refused.

use neuron_runtime::surrogate::{ATan, LeakyKReLU, Sigmoid, SquarewaveFourierSeries};
use neuron_runtime::{Error, Gradient, Surrogate, surrogate};

surrogate! { pub surrogate Tri { primitive = if abs(u) < 1.0 { 0.5 + u - 0.5 * u * abs(u) } else if u < 0.0 { 0.0 } else { 1.0 }; } }

surrogate! {
    /// A mixture.
    surrogate Mixture {
        /// Weight of the first.
        param weight = 0.5 where weight >= 0.0, weight <= 1.0;
        param a = 2.0;
        param b = 4.0 where b > a;
        param c = 1.0;

        let steep = sigmoid(b * u);
        let flat = sigmoid(a * u);
        primitive = weight * steep + (1.0 - weight) * flat + c * 0.1 * tanh(u);
    }
}

#[test]
fn a_line_is_enough() {
    let surrogate = Surrogate::from(Tri);
    assert_eq!(surrogate.to_string(), "Tri()");
    assert_eq!(surrogate.gradient_equation(), "if abs(u) < 1 { 1 - abs(u) } else { 0 }");
    for (u, expected) in [(-2.0, 0.0), (-0.25, 0.75), (0.0, 1.0), (0.5, 0.5), (1.0, 0.0)] {
        assert_eq!(surrogate.gradient(u), expected, "at {u}");
    }
    assert_eq!(surrogate.index(), None);
    assert_eq!(Gradient::from(Tri), Gradient { surrogate, detach_reset: false });
    assert!(surrogate.gradient(f64::NAN).is_nan() && surrogate.gradient(f64::INFINITY) == 0.0);
}

#[test]
fn parameters_are_fields() {
    let mixture = Mixture { weight: 0.25, ..Mixture::default() };
    assert_eq!(mixture, Mixture::new(0.25, 2.0, 4.0, 1.0));
    let surrogate = Surrogate::from(mixture);
    assert_eq!(surrogate.to_string(), "Mixture(weight=0.25, a=2, b=4, c=1)");
    let ranges: Vec<_> = surrogate.parameter_defs().iter().map(|parameter| parameter.range).collect();
    assert_eq!(ranges, ["weight >= 0.0, weight <= 1.0", "", "b > a", ""]);
    assert_eq!(
        Mixture { b: 1.0, ..mixture }.validate(),
        Err(Error::SurrogateParameter { surrogate: "Mixture", name: "b", expected: "b > a", value: 1.0 })
    );
    assert_eq!(
        Mixture { c: f64::INFINITY, ..mixture }.validate(),
        Err(Error::SurrogateParameterNotFinite { surrogate: "Mixture", name: "c", value: f64::INFINITY })
    );
}

#[test]
fn ranges_are_checked() {
    for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(ATan { alpha }.validate().is_err(), "{alpha}");
    }
    let error = ATan { alpha: 0.0 }.validate().unwrap_err();
    assert_eq!(error.to_string(), "surrogate ATan: `alpha` is 0, but must satisfy `alpha > 0.0`");
    assert!(Surrogate::from_name("q_pseudo_spike", &[1.0]).unwrap().validate().is_err());
    for n in [0.0, 1.5, 5.0] {
        assert!(SquarewaveFourierSeries { n, t_period: 8.0 }.validate().is_err(), "{n}");
    }
    assert!(LeakyKReLU { leak: -1.0, k: 0.0 }.validate().is_ok());
}

#[test]
fn names() {
    let same =
        |name: &str, expected: Surrogate| assert_eq!(Surrogate::from_name(name, &[]).unwrap(), expected);
    same("ATan", ATan::default().into());
    same("atan", ATan::default().into());
    same("LeakyKReLU", LeakyKReLU::default().into());
    same("leaky_k_relu", LeakyKReLU::default().into());
    same("squarewave_fourier_series", SquarewaveFourierSeries::default().into());
    for (index, surrogate) in Surrogate::all().enumerate() {
        same(surrogate.name(), surrogate);
        assert_eq!(surrogate.index(), Some(index as u32));
    }
    assert!(matches!(Surrogate::from_name("Tri", &[]), Err(Error::UnknownSurrogate { .. })));
    let expected = Error::SurrogateParameters { surrogate: "ATan", expected: 1, actual: 2 };
    assert_eq!(Surrogate::from_name("ATan", &[1.0, 2.0]), Err(expected));
    assert_eq!(Surrogate::from_index(0, 3.0).unwrap(), ATan { alpha: 3.0 }.into());
    assert_eq!(Surrogate::from_index(1, 2.0).unwrap(), Sigmoid { alpha: 2.0 }.into());
    assert_eq!(Surrogate::from_index(2, 1.0), Err(Error::UnknownSurrogateIndex { index: 2 }));
    assert_eq!(Surrogate::default().to_string(), "ATan(alpha=2)");
}

#[test]
fn equations_are_kept() {
    let atan = Surrogate::default();
    assert_eq!(atan.equation(), "atan(z) / PI + 0.5 where z = PI / 2 * alpha * u");
    assert_eq!(atan.gradient_equation(), "0.5 * alpha / (1 + z^2) where z = 1.5707963267948966 * alpha * u");
}
