//! The gradient check finds wrong gradients, and none in right ones.

use neuron_runtime::gradcheck::Failure;
use neuron_runtime::{
    Call, Element, Error, Neuron, Real, Reset, Sink, Spec, Template, Value, gradcheck, neuron,
};

neuron! {
    /// Two states that depend on each other, two inputs, a threshold that moves.
    pub struct Coupled {
        param tau = 2.0 where tau > 1.0;
        flag leaks = true;
        input x, y;
        state w = 0.5;

        let drive = x * y - w;
        charge = v + if leaks { (drive - v) / tau } else { drive };
        threshold = v_threshold + 0.1 * w * w;
        update w = 0.9 * w + 0.2 * tanh(h) * spike;
        reset hard | soft;
    }
}

neuron! {
    /// Every function of the language.
    pub struct Functions {
        charge = v + 0.1 * (exp(x - 2.0) + ln(2.0 + v * v) + sqrt(1.0 + x^2) + tanh(v) + sigmoid(x)
            + atan(v) + erf(x) + sin(v) + cos(x) + 1.0 / (2.0 + x^2));
        reset hard | soft;
    }
}

neuron! {
    /// Kinks, which are not counted as errors.
    pub struct Kinked {
        charge = v + abs(x - 0.5) + max(x, v) - min(0.3, v) + if x < 0.2 { x } else { 2.0 * x };
        reset hard | soft;
    }
}

neuron! {
    /// Learnable parameters in the charge, the threshold, the reset and a second state.
    pub struct Learning {
        learnable w = 0.3;
        array gain = 1.2 where gain > 0.0;
        learnable v_threshold = 0.9;
        learnable v_reset = -0.1;
        learnable beta = 0.4;
        state a = 0.2 * beta;
        charge = v + sigmoid(w) * (gain * x - (v - v_reset));
        threshold = v_threshold + beta * a;
        update a = 0.8 * a + beta * spike;
        reset hard | soft | none;
    }
}

neuron! {
    /// No spikes.
    pub struct Readout {
        learnable tau = 2.0 where tau > 1.0;
        charge = v + (x - v) / tau;
        output = h * h;
    }
}

neuron! {
    /// A reset of its own.
    pub struct Own {
        learnable kappa = 0.7;
        charge = 0.9 * v + x;
        update v = h - kappa * spike * h;
    }
}

#[test]
fn learnable_parameters() {
    let learning = gradcheck(&Learning::default()).unwrap();
    assert_eq!(learning.checked + learning.skipped, 3 * 2 * 24 * (6 + 2 + 4));
    let readout = gradcheck(&Readout::default()).unwrap();
    let own = gradcheck(&Own::default()).unwrap();
    for report in [learning, readout, own] {
        assert_eq!(report.skipped, 0, "{report:?}");
        assert!(report.largest_error > 0.0 && report.largest_error < 1e-8, "{report:?}");
    }
}

#[test]
fn right_gradients_pass() {
    // Inputs at every step and states, for every reset, flag and surrogate.
    let coupled = gradcheck(&Coupled::default()).unwrap();
    assert_eq!(coupled.checked + coupled.skipped, 2 * 2 * 2 * 24 * (6 * 2 + 2));
    for report in [coupled, gradcheck(&Functions::default()).unwrap()] {
        assert_eq!(report.skipped, 0, "{report:?}");
        assert!(report.largest_error > 0.0 && report.largest_error < 1e-8, "{report:?}");
    }
}

#[test]
fn kinks_are_stepped_over() {
    let report = gradcheck(&Kinked::default()).unwrap();
    assert!(report.checked > 20 * report.skipped, "{report:?}");
}

/// A neuron whose `bptt` is wrong: one of its gradients is a thousandth too large.
#[derive(Clone, Debug, Default, PartialEq)]
struct Wrong<const OUTPUT: usize>(Coupled);

impl<const OUTPUT: usize> Neuron for Wrong<OUTPUT> {
    const SPEC: &'static Spec = Coupled::SPEC;

    fn validate(&self) -> Result<(), Error> {
        self.0.validate()
    }
    fn reset(&self) -> Reset {
        self.0.reset()
    }
    fn set_reset(&mut self, reset: Reset) {
        self.0.set_reset(reset);
    }
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name)
    }
    fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
        self.0.set(name, value)
    }
    fn initial_state(&self) -> Vec<f64> {
        self.0.initial_state()
    }
    fn validate_at(&self, values: &[f64]) -> Result<(), Error> {
        self.0.validate_at(values)
    }
    fn initial_state_at(&self, values: &[f64]) -> Vec<f64> {
        self.0.initial_state_at(values)
    }
    fn initial_slopes_at(&self, values: &[f64]) -> Vec<f64> {
        self.0.initial_slopes_at(values)
    }
    fn run<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        let Call { template, neurons, gradient, inputs, outputs } = call;
        self.0.run(Call { template, neurons, gradient, inputs, outputs: &mut *outputs })?;
        let more = E::Real::from_f64(1.001);
        if template == Template::Bptt {
            match &mut outputs[OUTPUT] {
                Sink::Signal(array) => array.iter_mut().for_each(|x| *x = E::store(x.load() * more)),
                Sink::State(array) | Sink::Parameter(array) => array.iter_mut().for_each(|x| *x = *x * more),
                Sink::Bits(_) => unreachable!("gradients are no bits"),
            }
        }
        Ok(())
    }
    fn run_relaxed<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        self.0.run_relaxed(call)
    }
}

fn wrong<const OUTPUT: usize>(name: &str) {
    match gradcheck(&Wrong::<OUTPUT>::default()) {
        Err(Failure::Gradient { gradient, analytic, numeric, .. }) => {
            assert_eq!(gradient, name);
            assert!((analytic / numeric - 1.001).abs() < 1e-6, "{analytic} {numeric}");
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn wrong_gradients_are_found() {
    wrong::<0>("grad_x_seq");
    wrong::<1>("grad_y_seq");
    wrong::<2>("grad_v");
    wrong::<3>("grad_w");
}

#[test]
fn a_neuron_that_cannot_run_says_why() {
    let failure = gradcheck(&Coupled { tau: 1.0, ..Coupled::default() }).unwrap_err();
    assert!(matches!(failure, Failure::Run(Error::ParameterRange { name: "tau", .. })), "{failure}");
}
