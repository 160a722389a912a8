//! Sizes and numbers at the end of what there is: errors, or right results, never a panic.

use neuron_runtime::evaluate::{Mode, evaluate};
use neuron_runtime::{
    Array, Call, Cuda, DeclaredNeuron, Error, Gradient, Keep, Neuron, Parameter, Reset, Signature, Sink,
    Source, Spec, Template, Value, initial_grads, initial_states, neuron, plan, validate_values,
};

use crate::Lif;

neuron! {
    /// Parameters that may differ between neurons, one of which the other's range depends on, and a state made of both.
    pub struct Varied {
        param least = 0.5;
        array gain = 1.0 where gain > least;
        learnable w = 0.25;
        state a = gain * w;
        charge = gain * v + w * x - a;
        update a = 0.5 * a;
        reset none;
    }
}

/// What is wrong is found before memory for outputs is asked for.
#[test]
fn huge_calls_are_refused() {
    let (four, eight) = (vec![0.0f32; 4], vec![0.0f32; 8]);
    for neurons in [1 << 61, 1 << 44, usize::MAX, 5] {
        for template in [Template::Fptt, Template::Forward, Template::LeanFptt, Template::FpttWithV] {
            let inputs = [Source::<f32>::Signal(&four), Source::State(&four)];
            let result =
                evaluate(&Lif::default(), Mode::Spiking, template, Gradient::default(), neurons, &inputs);
            let is_expected = |error: &Error| match template {
                Template::Forward => matches!(error, Error::Length { argument: "x", .. }),
                _ => matches!(error, Error::NotAMultiple { argument: "x_seq", .. }),
            };
            assert!(result.as_ref().is_err_and(is_expected), "{template} {neurons}: {result:?}");
        }
    }
    let inputs = [Source::<f32>::Signal(&eight), Source::State(&eight)];
    let run = |neurons| {
        evaluate(&Lif::default(), Mode::Spiking, Template::Fptt, Gradient::default(), neurons, &inputs)
    };
    assert!(matches!(run(4), Err(Error::Length { argument: "v", expected: 4, .. })));
    assert!(matches!(run(0), Err(Error::Empty { what: "N", .. })));
    assert!(run(8).is_ok());
    let none =
        evaluate::<_, f32>(&Lif::default(), Mode::Spiking, Template::Fptt, Gradient::default(), 1 << 61, &[]);
    assert!(matches!(none, Err(Error::BufferCount { role: "input", actual: 0, .. })), "{none:?}");
}

#[test]
fn the_relaxed_model_has_two_templates() {
    let arrays = [0.25f32; 6];
    for template in Lif::SPEC.templates() {
        let signature = Lif::SPEC.signature(template);
        let source = |buffer: &neuron_runtime::BufferSpec| match buffer.class {
            neuron_runtime::Class::Signal => Source::Signal(&arrays[..]),
            _ if buffer.extent == neuron_runtime::Extent::Checkpoint => Source::State(&[]),
            _ => Source::State(&arrays[..]),
        };
        let inputs: Vec<Source<'_, f32>> = signature.inputs.iter().map(source).collect();
        let run = |mode| evaluate(&Lif::default(), mode, template, Gradient::default(), 6, &inputs);
        assert!(run(Mode::Spiking).is_ok(), "{template}");
        match (template, run(Mode::Relaxed)) {
            (Template::ForwardWithGrad | Template::FpttWithGrad, result) => {
                // The primitive in place of 0 or 1.
                let spikes = result.unwrap().take_signal(neuron_runtime::Role::Output).unwrap();
                assert!(spikes.iter().all(|spike| *spike > 0.0 && *spike < 1.0), "{spikes:?}");
            }
            (_, result) => {
                assert_eq!(result, Err(Error::NotRelaxed { neuron: "Lif", template }));
            }
        }
    }
}

#[test]
fn plans_saturate() {
    for (steps, neurons) in [(usize::MAX, usize::MAX), (1 << 32, 1 << 32), (1, usize::MAX), (usize::MAX, 1)] {
        let plan = plan::<f32>(Varied::SPEC, steps, neurons);
        assert_eq!(plan.forward.total(), usize::MAX, "{steps} {neurons}");
        assert_eq!(plan.keep, Keep::Checkpoints, "{steps} {neurons}");
    }
    assert_eq!(plan::<f32>(Lif::SPEC, 16, 0).forward.total(), 0);
}

#[test]
fn values_are_one_array_for_each_parameter() {
    let (one, many) = ([1.0f32], [1.0f32, 2.0, 3.0]);
    let validate = |arrays: &[&[f32]]| validate_values(&Varied::default(), arrays);
    assert_eq!(validate(&[&one, &many]), Ok(()));
    for arrays in [&[][..], &[&one[..]], &[&one, &many, &one]] {
        let (expected, actual) = (2, arrays.len());
        assert_eq!(
            validate(arrays),
            Err(Error::Arity { neuron: "Varied", what: "parameters", expected, actual })
        );
    }
    assert!(matches!(validate(&[&[], &[]]), Err(Error::ParameterNotFinite { name: "gain", .. })));
    assert!(matches!(validate(&[&[0.5], &many]), Err(Error::ParameterRange { name: "gain", .. })));
    assert!(validate_values::<Lif, f32>(&Lif::default(), &[]).is_ok());
    // The number that a value is compared with is rounded like the value.
    let neuron = Varied { least: 0.1, ..Varied::default() };
    assert!(validate_values(&neuron, &[&[0.1f32], &one]).is_err());
}

#[test]
fn no_neurons_have_no_states() {
    let values = [1.0f64, 2.0];
    for inner in [1, 1 << 40, (1 << 62) - 1] {
        let parameters =
            [Parameter::per_channel(&values, inner), Parameter::per_channel(&values[..1], inner - 1)];
        if inner > 1 {
            assert_eq!(initial_states(&Varied::default(), &parameters, 0), Ok(vec![vec![]; 2]));
            let grads = initial_grads(&Varied::default(), &parameters, &[&[], &[]]);
            assert_eq!(grads, Ok(vec![vec![0.0]]));
        }
        let misfit = initial_states(&Varied::default(), &parameters, 3);
        assert!(matches!(misfit, Err(Error::ParameterLayout { .. })), "{misfit:?}");
    }
    let huge = [Parameter::per_channel(&values, usize::MAX), Parameter::shared(&values[0])];
    assert!(matches!(initial_states(&Varied::default(), &huge, 0), Err(Error::ParameterLayout { .. })));
    assert_eq!(initial_states::<Lif, f32>(&Lif::default(), &[], 0), Ok(vec![vec![]]));
}

/// A range holds for the number that kernels compute with.
#[test]
fn ranges_hold_in_the_format_of_the_arithmetic() {
    fn forward<E: neuron_runtime::Element>(tau: f64, v_threshold: f64) -> Result<(), Error> {
        let neuron = Lif { tau, v_threshold, ..Lif::default() };
        let (x, v) = ([E::default()], [E::Real::default()]);
        let inputs = [Source::Signal(&x), Source::State(&v)];
        evaluate::<_, E>(&neuron, Mode::Spiking, Template::Forward, Gradient::default(), 1, &inputs).map(drop)
    }
    assert_eq!(forward::<f64>(1.0 + 1e-12, 1e300), Ok(()));
    assert_eq!(forward::<f32>(1.0 + 1e-6, 1e38), Ok(()));
    let error = forward::<f32>(1.0 + 1e-12, 1.0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Lif: parameter `tau` is 1.000000000001, which rounds to 1 in f32, but must satisfy `tau > 1.0`"
    );
    assert_eq!(forward::<half::f16>(1.0 + 1e-12, 1.0), Err(error));
    let error = forward::<half::bf16>(2.0, 1e39).unwrap_err();
    assert!(matches!(error, Error::ParameterTooLarge { name: "v_threshold", format: "f32", .. }), "{error}");
    let neuron = Lif { tau: 1.0 + 1e-12, ..Lif::default() };
    assert!(neuron.validate().is_ok() && neuron.validate_in::<f64>().is_ok());
    assert!(neuron.validate_in::<f32>().is_err());
}

/// Zeros do not hide that other dimensions are too large, wherever they are.
#[test]
fn shapes_are_too_large_in_any_order() {
    const HUGE: usize = 1 << 40;
    for shape in [[HUGE, HUGE, 0], [0, HUGE, HUGE], [HUGE, 0, HUGE]] {
        let array = Array::<f32>::from_vec(shape, Vec::new());
        assert!(matches!(array, Err(Error::ArrayLength { .. })), "{shape:?}");
    }
    for shape in [[HUGE, 1, 0], [0, HUGE, 2]] {
        assert!(Array::<f32>::from_vec(shape, Vec::new()).is_ok(), "{shape:?}");
    }
}

/// LIF with its signatures in another order.
#[derive(Clone, Debug, Default, PartialEq)]
struct Reordered(Lif);

static REORDERED: Spec = Spec { signatures: &REVERSED, cuda: Cuda::NONE, ..*Lif::SPEC };

impl Neuron for Reordered {
    fn spec(&self) -> &'static Spec {
        &REORDERED
    }
    fn validate_rounded(&self, round: fn(f64) -> f64) -> Result<(), Error> {
        self.0.validate_rounded(round)
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
    fn validate_rounded_at(&self, values: &[f64], round: fn(f64) -> f64) -> Result<(), Error> {
        self.0.validate_rounded_at(values, round)
    }
    fn initial_state_at(&self, values: &[f64]) -> Vec<f64> {
        self.0.initial_state_at(values)
    }
    fn initial_slopes_at(&self, values: &[f64]) -> Vec<f64> {
        self.0.initial_slopes_at(values)
    }
    fn run<E: neuron_runtime::Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        self.0.run(call)
    }
    fn run_relaxed<E: neuron_runtime::Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        self.0.run_relaxed(call)
    }
}

static REVERSED: [Signature; 9] = {
    // All but packed spikes, the last first.
    let all = Lif::SPEC.signatures;
    [all[8], all[7], all[6], all[5], all[4], all[3], all[2], all[1], all[0]]
};

#[test]
fn signatures_are_found_in_any_order() {
    for template in REORDERED.templates() {
        assert_eq!(REORDERED.signature(template), Lif::SPEC.signature(template));
        assert_eq!(REORDERED.check_template(template), Ok(()));
    }
    let template = Template::PackedFptt;
    assert_eq!(REORDERED.check_template(template), Err(Error::NoTemplate { neuron: "Lif", template }));
    let x = [1.5f32; 3];
    let inputs = [Source::Signal(&x[..]), Source::State(&x)];
    let run = |spikes: &mut [f32], next: &mut [f32]| {
        let outputs = &mut [Sink::Signal(spikes), Sink::State(next)];
        let (template, gradient) = (Template::Fptt, Gradient::default());
        Reordered::default().run(Call { template, neurons: 3, gradient, inputs: &inputs, outputs })
    };
    let (mut spikes, mut next) = ([0.0; 3], [1.0; 3]);
    assert_eq!(run(&mut spikes, &mut next), Ok(()));
    assert_eq!((spikes, next), ([1.0; 3], [0.0; 3]));
    let evaluated =
        evaluate(&Reordered::default(), Mode::Spiking, Template::Fptt, Gradient::default(), 3, &inputs);
    assert_eq!(evaluated.unwrap().take_signal(neuron_runtime::Role::Output).unwrap(), spikes);
}
