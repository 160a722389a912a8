//! What users of such software have found wrong, each by the smallest input that shows it, with its right values.

use neurons::{
    AdEx, Alif, Array, DeclaredNeuron, Error, Gradient, Ilif, MultiStep, Neuron, RefractoryLif, RestingLif,
    gradcheck, neuron,
};

/// `values` over time, of one neuron.
fn over_time(values: &[f32]) -> Array<f32> {
    Array::from_vec([values.len(), 1], values.to_vec()).unwrap()
}

/// The gradient of the weighted sum of what leaves `neuron` with respect to its input.
fn grad_x<N: DeclaredNeuron>(neuron: N, gradient: Gradient, x: &[f32], weights: &[f32]) -> Vec<f32> {
    let v = Array::full([1], neuron.initial_state()[0] as f32);
    let mut states = vec![v];
    states.extend(neuron.initial_state()[1..].iter().map(|&value| Array::full([1], value as f32)));
    let states: Vec<&Array<f32>> = states.iter().collect();
    let (_, context) = MultiStep::new(neuron, gradient).forward_all(&[&over_time(x)], &states).unwrap();
    let zeros = vec![Array::full([1], 0.0); states.len()];
    let zeros: Vec<&Array<f32>> = zeros.iter().collect();
    let mut grads = context.backward_all(&over_time(weights), &zeros).unwrap();
    grads.inputs.remove(0).into_vec().unwrap()
}

/// The steps, from 0, at which `neuron` fires under a constant input.
fn spikes(neuron: impl DeclaredNeuron, x: f32, steps: usize) -> Vec<usize> {
    let states: Vec<Array<f32>> =
        neuron.initial_state().iter().map(|&value| Array::full([1], value as f32)).collect();
    let states: Vec<&Array<f32>> = states.iter().collect();
    let x = Array::full([steps, 1], x);
    let stepped = MultiStep::new(neuron, Gradient::default()).inference_all(&[&x], &states).unwrap();
    let spikes = stepped.spike.into_vec().unwrap();
    (0..steps).filter(|&step| spikes[step] != 0.0).collect()
}

/// Its authors take the number of spikes in the reset for a constant.
#[test]
fn integer_spikes_reset_without_gradient() {
    for detach_reset in [false, true] {
        let gradient = Gradient { detach_reset, ..Gradient::default() };
        let grads = grad_x(Ilif::default(), gradient, &[1.2, 0.9], &[0.0, 1.0]);
        assert!((grads[0] - 0.25).abs() < 1e-6 && grads[1] == 1.0, "{grads:?}");
    }
    gradcheck(&Ilif::default()).unwrap();
}

/// The soft reset of this crate, which the page of the neuron tells apart from that of its authors.
#[test]
fn adaptive_threshold() {
    let neuron = Alif { tau: 1.0, tau_a: 1.0, beta: 1.6, ..Alif::default() };
    let x = Array::full([4, 1], 10.0f64);
    let zero = Array::full([1], 0.0f64);
    let stepped = MultiStep::new(neuron, Gradient::default()).inference_with_v(&[&x], &[&zero, &zero]);
    let v = stepped.unwrap().1.into_vec().unwrap();
    for (v, expected) in v.iter().zip([5.3212, 7.2788, 7.9989, 8.2638]) {
        assert!((v - expected).abs() < 1e-4, "{v} {expected}");
    }
}

/// Where the exponential has taken over, its gradient does not overflow.
#[test]
fn saturated_exponential() {
    for x in [2e4, 1e5, 2e5, 1e6] {
        let grads = grad_x(AdEx::default(), Gradient::default(), &[x; 400], &[1.0; 400]);
        assert!(grads.iter().all(|grad| grad.is_finite()), "{x}");
    }
}

/// A refractory period that is no multiple of the time step was cut off.
#[test]
fn refractory_period_between_steps() {
    for t_ref in [0.05, 0.15, 0.25, 0.35, 0.45] {
        let error = RefractoryLif { t_ref, ..RefractoryLif::default() }.validate().unwrap_err();
        assert!(matches!(error, Error::ParameterRange { name: "t_ref", .. }), "{error}");
    }
    for (steps, t_ref) in (0..60).map(|steps| (steps, 0.1 * steps as f64)) {
        let neuron = RefractoryLif { t_ref, ..RefractoryLif::default() };
        neuron.validate().unwrap();
        // Strong enough to fire in any step that it may.
        let fired = spikes(neuron, 1e6, 200);
        assert!(fired.windows(2).all(|pair| pair[1] - pair[0] == steps + 1), "{t_ref}: {fired:?}");
    }
}

/// Short time steps: the first spike in float32 was at 408764.
#[test]
fn short_time_steps() {
    let neuron = RefractoryLif { dt: 0.001, tau: 100.0, ..RefractoryLif::default() };
    let fired = spikes(neuron, 38.0, 440_000);
    assert!(fired.first().is_some_and(|first| first.abs_diff(433_073) <= 5), "{fired:?}");
}

/// A resting potential unlike that of the reset.
#[test]
fn resting_potential() {
    assert_eq!(spikes(RestingLif::default(), 20.0, 100), [13, 29, 45, 61, 77, 93]);
    gradcheck(&RestingLif::default()).unwrap();
}

neuron! {
    /// Powers in ranges and initial values.
    pub struct Powers {
        param a = 1.0 where a^2 < 4.0;
        param b = 2.0;
        state u = b^2;
        charge = a * v + x + u;
        update u = 0.5 * u;
        reset hard;
    }
}

#[test]
fn powers_anywhere() {
    assert_eq!(Powers::default().initial_state(), [0.0, 4.0]);
    assert!(Powers { a: -2.5, ..Powers::default() }.validate().is_err());
}
