//! Neurons written by hand whose specification contradicts itself: nothing is written beyond an array, on the CPU or in
//! the arguments of a kernel.

use neuron_runtime::{
    BufferSpec, Call, Class, Cuda, DeclaredNeuron, Element, Error, Extent, FlagSpec, Gradient, Kernel, LANES,
    Lanes, Neuron, ParamKind, ParamSpec, Parameter, Real, Reset, Role, Signature, Sink, Source, Spec,
    StateSpec, Template, Tile, Value,
};

use crate::Lif;

/// Of one of [`SPECS`].
#[derive(Clone, Debug, Default, PartialEq)]
struct Forged<const SPEC: usize>;

const fn array(name: &'static str, class: Class, extent: Extent) -> BufferSpec {
    BufferSpec { name, role: Role::Factor(0), class, extent }
}

const fn signature(
    template: Template,
    inputs: &'static [BufferSpec],
    outputs: &'static [BufferSpec],
) -> Signature {
    Signature { template, inputs, outputs, lanes: Lanes { double: 1, single: 1, half: 1 } }
}

const fn spec(params: &'static [ParamSpec], signatures: &'static [Signature]) -> Spec {
    Spec { params, flags: &[], signatures, cuda: Cuda::NONE, ..*Lif::SPEC }
}

const fn param(kind: ParamKind) -> ParamSpec {
    ParamSpec { kind, name: "w", doc: "", default: 1.0, range: "" }
}

const STATE: BufferSpec = array("v", Class::State, Extent::Neuron);
const SECOND: BufferSpec = BufferSpec { role: Role::State(1), ..STATE };
const PARAMETER: BufferSpec = array("w", Class::State, Extent::Parameter);
const SEQUENCE: BufferSpec = array("grad_spike_seq", Class::State, Extent::Step);
const BITS: BufferSpec = array("bits", Class::Bits, Extent::Step);

/// A parameter's gradient where there is no parameter.
const NO_PARAMETER: usize = 0;
/// Bits where the gradient of the parameter should be.
const BITS_FOR_GRADIENT: usize = 1;
/// No output at all, where the gradient of the parameter should be.
const NO_GRADIENT: usize = 2;
/// The gradient of the parameter before another output.
const GRADIENT_FIRST: usize = 3;
/// A parameter that the signature does not read.
const PARAMETER_NOT_READ: usize = 4;

/// The array of a state that there is not.
const UNKNOWN_STATE: usize = 8;
/// A state that has no initial value.
const NO_INITIAL_VALUE: usize = 9;

static SPECS: [Spec; 10] = [
    spec(&[], &[signature(Template::Forward, &[STATE], &[PARAMETER])]),
    spec(&LEARNABLE, &[signature(Template::Bptt, &[SEQUENCE, PARAMETER], &[BITS])]),
    spec(&LEARNABLE, &[signature(Template::Bptt, &[SEQUENCE, PARAMETER], &[])]),
    spec(&LEARNABLE, &[signature(Template::Bptt, &[SEQUENCE, PARAMETER], &[PARAMETER, STATE])]),
    spec(&LEARNABLE, &[signature(Template::Forward, &[STATE], &[STATE])]),
    spec(&SCALAR, &[signature(Template::Forward, &[STATE], &[STATE])]),
    Spec { flags: &FLAG, ..spec(&[], &[signature(Template::Forward, &[STATE], &[STATE])]) },
    spec(&[], &[signature(Template::Forward, &[STATE], &[STATE])]),
    spec(&[], &[signature(Template::Forward, &[SECOND], &[STATE])]),
    Spec { states: &STATES, ..spec(&[], &[signature(Template::Forward, &[SECOND], &[STATE])]) },
];

static STATES: [StateSpec; 2] = [Lif::SPEC.states[0]; 2];
static LEARNABLE: [ParamSpec; 1] = [param(ParamKind::Learnable)];
static SCALAR: [ParamSpec; 1] = [param(ParamKind::Scalar)];
static FLAG: [FlagSpec; 1] = [FlagSpec { name: "w", doc: "", default: true }];

impl<const SPEC: usize> Neuron for Forged<SPEC> {
    fn spec(&self) -> &'static Spec {
        &SPECS[SPEC]
    }
    fn validate_rounded(&self, _: fn(f64) -> f64) -> Result<(), Error> {
        Ok(())
    }
    fn reset(&self) -> Reset {
        Reset::Hard
    }
    fn set_reset(&mut self, _: Reset) {}
    fn get(&self, _: &str) -> Option<Value> {
        None
    }
    fn set(&mut self, _: &str, _: Value) -> Result<(), Error> {
        Ok(())
    }
    fn initial_state(&self) -> Vec<f64> {
        vec![0.0]
    }
    fn validate_rounded_at(&self, _: &[f64], _: fn(f64) -> f64) -> Result<(), Error> {
        Ok(())
    }
    fn initial_state_at(&self, _: &[f64]) -> Vec<f64> {
        vec![0.0]
    }
    fn initial_slopes_at(&self, _: &[f64]) -> Vec<f64> {
        Vec::new()
    }
    fn run<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        call.execute(self, &Writes)
    }
    fn run_relaxed<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
        call.execute(self, &Writes)
    }
}

/// Writes every row of output 0 as if it were a state.
struct Writes;

impl<E: Element> Kernel<E> for Writes {
    fn tile(&self, tile: &Tile<'_, E>) {
        for step in 0..tile.steps() {
            tile.state_mut(0).store(step, &[E::Real::from_f64(7.0); LANES]);
        }
    }
}

/// Runs `template` for `neurons` with an output made of the first number of an array, of which the rest has to stay.
fn run<const SPEC: usize>(
    template: Template,
    neurons: usize,
    inputs: &[Source<'_, f32>],
    output: impl for<'a> FnOnce(&'a mut [f32], &'a mut [u32]) -> Vec<Sink<'a, f32>>,
) -> Error {
    let (mut numbers, mut words) = (vec![0.0; 1 << 14], vec![0; 1 << 14]);
    let mut outputs = output(&mut numbers, &mut words);
    let gradient = Gradient::default();
    let call = Call { template, neurons, gradient, inputs, outputs: &mut outputs };
    let error = Forged::<SPEC>.run(call).expect_err("a specification that contradicts itself");
    assert!(numbers.iter().all(|number| *number == 0.0) && words.iter().all(|word| *word == 0));
    error
}

fn wrong(template: Template, what: &'static str) -> Error {
    Error::Signature { neuron: "Lif", template, what }
}

#[test]
fn the_gradient_of_a_parameter_is_not_an_array_of_neurons() {
    let v = vec![0.0; 1024];
    let inputs = [Source::State(&v[..])];
    let error = run::<NO_PARAMETER>(Template::Forward, 1024, &inputs, |numbers, _| {
        vec![Sink::Parameter(&mut numbers[..1])]
    });
    assert_eq!(error, wrong(Template::Forward, "gradients of parameters"));
    let message = "Lif forward: the gradients of parameters of the signature do not match the specification";
    assert_eq!(error.to_string(), message);
}

#[test]
fn the_last_outputs_of_a_backward_pass_are_gradients_of_parameters() {
    let (grad, w) = (vec![0.0; 8 * 64], vec![1.0; 16]);
    let inputs = [Source::State(&grad[..]), Source::Parameter(Parameter::per_neuron(&w))];
    let (template, what) = (Template::Bptt, "gradients of parameters");
    let error =
        run::<BITS_FOR_GRADIENT>(template, 64, &inputs, |_, words| vec![Sink::Bits(&mut words[..16])]);
    assert_eq!(error, wrong(template, what));
    let error = run::<NO_GRADIENT>(template, 64, &inputs, |_, _| Vec::new());
    assert_eq!(error, wrong(template, what));
    let error = run::<GRADIENT_FIRST>(template, 64, &inputs, |numbers, _| {
        let (sum, state) = numbers.split_at_mut(16);
        vec![Sink::Parameter(sum), Sink::State(&mut state[..64])]
    });
    assert_eq!(error, wrong(template, what));
}

#[test]
fn every_parameter_is_read() {
    let v = vec![0.0; 64];
    let inputs = [Source::State(&v[..])];
    let error = run::<PARAMETER_NOT_READ>(Template::Forward, 64, &inputs, |numbers, _| {
        vec![Sink::State(&mut numbers[..64])]
    });
    assert_eq!(error, wrong(Template::Forward, "parameters"));
}

#[test]
fn states_that_are_left_out_have_initial_values() {
    let (template, inputs) = (Template::Forward, [Source::State(&[])]);
    let error =
        run::<UNKNOWN_STATE>(template, 64, &inputs, |numbers, _| vec![Sink::State(&mut numbers[..64])]);
    assert_eq!(error, wrong(template, "states"));
    let error =
        run::<NO_INITIAL_VALUE>(template, 64, &inputs, |numbers, _| vec![Sink::State(&mut numbers[..64])]);
    assert_eq!(error, wrong(template, "initial states"));
}

/// What a kernel gets.
#[cfg(feature = "cuda")]
mod settings {
    use neuron_runtime::cuda::Arguments;

    use super::*;

    /// Nothing wrong with the signature: `get` does not know the parameter.
    const NO_VALUE: usize = 5;
    /// The same of a flag.
    const NO_FLAG: usize = 6;
    /// Nothing wrong.
    const SOUND: usize = 7;

    #[test]
    fn every_one_has_a_value() {
        let settings = |neuron: &dyn Neuron| {
            Arguments::settings::<f32>(neuron, Template::Forward, Gradient::default()).map(|all| all.len())
        };
        assert_eq!(settings(&Forged::<SOUND>), Ok(0));
        let missing = |expected| Err(Error::NoValue { neuron: "Lif", name: "w", expected });
        assert_eq!(settings(&Forged::<NO_VALUE>), missing("number"));
        assert_eq!(settings(&Forged::<NO_FLAG>), missing("flag"));
    }
}
