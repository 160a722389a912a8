//! What is refused, and that nothing is written then.

use neuron_runtime::{
    BufferSpec, Call, Class, DeclaredNeuron, Error, Extent, Gradient, Neuron, Reset, STEPS, Sink, Source,
    Surrogate, Template, Value,
};
use proptest::prelude::*;

use crate::{Lif, lif};

/// A number that no kernel writes.
const UNTOUCHED: f32 = 1.2345e30;

/// A word that none writes: what is beyond the last neuron is 0, and nothing fires here.
const UNTOUCHED_WORD: u32 = 0xdead_beef;

/// An array of a call; class and length may be wrong.
#[derive(Clone, Debug)]
struct Buffer {
    class: Class,
    len: usize,
    /// Whether it may be empty, which means that the call leaves it out.
    may_be_empty: bool,
}

/// The arrays of `template` as they should be.
fn buffers(template: Template, steps: usize, neurons: usize) -> [Vec<Buffer>; 2] {
    let signature = Lif::SPEC.signature(template);
    [signature.inputs, signature.outputs].map(|specs| {
        let rows = |extent| match extent {
            Extent::Step => steps,
            Extent::Checkpoint => (steps - 1) / STEPS,
            Extent::Neuron | Extent::Parameter => 1,
        };
        let columns = |class| if class == Class::Bits { neurons.div_ceil(32) } else { neurons };
        let len = |spec: &BufferSpec| rows(spec.extent) * columns(spec.class);
        let buffer = |spec: &BufferSpec| Buffer {
            class: spec.class,
            len: len(spec),
            may_be_empty: spec.absent().is_some(),
        };
        specs.iter().map(buffer).collect()
    })
}

/// Runs a call with such arrays; also says whether all outputs, or none of them, have been written.
fn run(
    template: Template,
    neurons: usize,
    gradient: Gradient,
    [inputs, outputs]: &[Vec<Buffer>; 2],
) -> (Result<(), Error>, bool, bool) {
    let input_data: Vec<Vec<f32>> = inputs.iter().map(|buffer| vec![0.75; buffer.len]).collect();
    let mut output_data: Vec<Vec<f32>> = outputs.iter().map(|buffer| vec![UNTOUCHED; buffer.len]).collect();
    let mut output_words: Vec<Vec<u32>> =
        outputs.iter().map(|buffer| vec![UNTOUCHED_WORD; buffer.len]).collect();
    let sources: Vec<_> = inputs
        .iter()
        .zip(&input_data)
        .map(|(buffer, data)| match buffer.class {
            Class::Signal => Source::Signal(&data[..]),
            Class::State => Source::State(&data[..]),
            Class::Bits => unreachable!("no template reads bits"),
        })
        .collect();
    let mut sinks: Vec<_> = outputs
        .iter()
        .zip(output_data.iter_mut().zip(&mut output_words))
        .map(|(buffer, (data, words))| match buffer.class {
            Class::Signal => Sink::Signal(&mut data[..]),
            Class::State => Sink::State(&mut data[..]),
            Class::Bits => Sink::Bits(&mut words[..]),
        })
        .collect();
    let call = Call::<f32> { template, neurons, gradient, inputs: &sources, outputs: &mut sinks };
    let result = Lif::default().run(call);
    let written =
        outputs.iter().zip(output_data.iter().zip(&output_words)).map(|(buffer, (data, words))| match buffer
            .class
        {
            Class::Bits => words.iter().map(|word| *word != UNTOUCHED_WORD).collect::<Vec<_>>(),
            _ => data.iter().map(|x| *x != UNTOUCHED).collect(),
        });
    let mut written = written.flatten();
    (result, written.clone().all(|w| w), !written.any(|w| w))
}

/// What is done to a valid call.
#[derive(Clone, Debug)]
enum Change {
    Nothing,
    Resize(usize),
    OtherClass,
    Remove,
    Duplicate,
    Neurons(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Nothing),
        (0..500usize).prop_map(Change::Resize),
        Just(Change::Resize(0)),
        Just(Change::OtherClass),
        Just(Change::Remove),
        Just(Change::Duplicate),
        (0..200usize).prop_map(Change::Neurons),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// A call is refused exactly if it was changed, except that some arrays may be left out; then nothing is written, else
    /// everything.
    #[test]
    fn only_valid_calls_run(
        template in prop::sample::select(&Template::ALL[..]),
        steps in 1..20usize,
        neurons in 1..140usize,
        side in 0..2usize,
        place in 0..8usize,
        change in change(),
    ) {
        let steps = if template.is_multi_step() { steps } else { 1 };
        let mut arrays = buffers(template, steps, neurons);
        let mut called_with = neurons;
        let place = place % arrays[side].len();
        let buffer = &mut arrays[side][place];
        let is_valid = match change {
            Change::Nothing => true,
            Change::Resize(len) => {
                let is_valid = buffer.len == len || (len == 0 && buffer.may_be_empty);
                buffer.len = len;
                is_valid
            }
            Change::OtherClass => {
                buffer.class = if buffer.class == Class::Signal { Class::State } else { Class::Signal };
                false
            }
            Change::Remove => {
                arrays[side].remove(place);
                false
            }
            Change::Duplicate => {
                let twice = buffer.clone();
                arrays[side].push(twice);
                false
            }
            Change::Neurons(n) => {
                called_with = n;
                n == neurons
            }
        };
        let (result, all, none) = run(template, called_with, Gradient::default(), &arrays);
        prop_assert_eq!(result.is_ok(), is_valid, "{:?}", result);
        prop_assert!(if is_valid { all } else { none }, "{:?}", result);
    }

    /// Parameters are refused exactly if they are out of range.
    #[test]
    fn only_valid_parameters_run(tau in any::<f64>(), v_threshold in any::<f64>(), v_reset in any::<f64>()) {
        let neuron = Lif { tau, v_threshold, v_reset, ..Lif::default() };
        let is_valid = tau > 1.0 && [tau, v_threshold, v_reset].iter().all(|x| x.is_finite());
        prop_assert_eq!(neuron.validate().is_ok(), is_valid);
        // In the format of the arithmetic too.
        let is_valid = tau as f32 > 1.0 && [tau, v_threshold, v_reset].iter().all(|x| (*x as f32).is_finite());
        prop_assert_eq!(neuron.validate_in::<f32>().is_ok(), is_valid);
        let (mut spike, mut v_next) = ([UNTOUCHED], [UNTOUCHED]);
        let buffers = lif::Forward { x: &[1.0], v: &[0.0], spike: &mut spike, v_next: &mut v_next };
        prop_assert_eq!(neuron.forward(buffers).is_ok(), is_valid);
        prop_assert_eq!(spike[0] != UNTOUCHED, is_valid);
    }

    /// The surrogate is checked where it is used, and only there.
    #[test]
    fn only_valid_surrogates_run(alpha in any::<f64>(), template in prop::sample::select(&Template::ALL[..])) {
        let uses = template.takes_gradient();
        let is_valid = !uses || (alpha as f32).is_finite() && alpha as f32 > 0.0;
        let gradient = Surrogate::sigmoid(alpha).into();
        let (result, all, none) = run(template, 3, gradient, &buffers(template, 1, 3));
        prop_assert_eq!(result.is_ok(), is_valid);
        prop_assert!(if is_valid { all } else { none }, "{:?}", result);
    }
}

/// Errors name what is wrong, what it should be and what it is.
#[test]
fn errors_are_specific() {
    let fptt = |x_seq: usize, v: usize, spike_seq: usize, v_next: usize| {
        let (mut spikes, mut next) = (vec![0.0f32; spike_seq], vec![0.0; v_next]);
        let (x_seq, v) = (vec![0.0; x_seq], vec![0.0; v]);
        let buffers = lif::Fptt { x_seq: &x_seq, v: &v, spike_seq: &mut spikes, v_next: &mut next };
        Lif::default().fptt(buffers).expect_err("an invalid call").to_string()
    };
    assert_eq!(fptt(7, 3, 6, 3), "Lif fptt: wrong length of `x_seq`: expected a multiple of N = 3, found 7");
    assert_eq!(fptt(6, 3, 5, 3), "Lif fptt: wrong length of `spike_seq`: expected 6 (T = 2, N = 3), found 5");
    assert_eq!(fptt(6, 3, 6, 1), "Lif fptt: wrong length of `v_next`: expected 3 (N = 3), found 1");
    assert_eq!(fptt(0, 3, 0, 3), "Lif fptt: expected T to be at least 1, found 0");
    assert_eq!(fptt(0, 0, 0, 0), "Lif fptt: expected N to be at least 1, found 0");

    let message = |neuron: Lif| neuron.validate().expect_err("an invalid neuron").to_string();
    assert_eq!(
        message(Lif { tau: 1.0, ..Lif::default() }),
        "Lif: parameter `tau` is 1, but must satisfy `tau > 1.0`"
    );
    assert_eq!(
        message(Lif { v_reset: f64::NAN, ..Lif::default() }),
        "Lif: parameter `v_reset` is NaN, but must be finite"
    );

    let mut neuron = Lif::default();
    assert_eq!(neuron.set("tau", Value::Real(3.0)), Ok(()));
    assert_eq!(neuron.get("tau"), Some(Value::Real(3.0)));
    let error = neuron.set("tau", Value::Flag(true)).unwrap_err();
    assert!(matches!(error, Error::ParameterType { .. }));
    assert_eq!(error.to_string(), "Lif: expected a number for `tau`, found the flag true");
    assert!(matches!(neuron.set("decay_input", Value::Real(1.0)), Err(Error::ParameterType { .. })));
    let error = neuron.set("taw", Value::Real(1.0)).unwrap_err().to_string();
    assert!(error.contains("`taw`") && error.contains("`tau`, "), "{error}");
}

mod hard_only {
    neuron_runtime::neuron! {
        pub struct HardOnly { charge = v + x; reset hard; }
    }
}

#[test]
fn a_reset_that_was_not_declared_is_refused() {
    let mut neuron = hard_only::HardOnly::default();
    neuron.set_reset(Reset::Soft);
    assert!(matches!(neuron.validate(), Err(Error::ResetNotDeclared { reset: Reset::Soft, .. })));
}
