//! Neurons that are chosen at run time.

use half::{bf16, f16};
use neuron_runtime::any::AnyCall;
use neuron_runtime::evaluate::{Mode, evaluate};
use neuron_runtime::{
    Array, Call, Element, Error, Gradient, MultiStepNode, Neuron, Real, Reset, Sink, Source, Template, Value,
    gradcheck,
};

use crate::neurons::{Adaptive, Leaky};

fn chosen() -> Box<dyn Neuron> {
    Box::new(Leaky::default())
}

fn same_bits<E: Element>() {
    let (known, chosen) = (Leaky::default(), chosen());
    for template in chosen.spec().templates().filter(|template| !template.is_backward()) {
        let signal: [E; 7 * 9] = std::array::from_fn(|i| E::store(E::Real::from_f64((i % 11) as f64 * 0.3)));
        let steps = if template.is_multi_step() { 9 } else { 1 };
        let state = [E::Real::from_f64(0.25); 7];
        let sources = [Source::<E>::Signal(&signal[..7 * steps]), Source::State(&state)];
        let gradient = Gradient::default();
        let expected = evaluate(&known, Mode::Spiking, template, gradient, 7, &sources).unwrap();
        let actual = evaluate(&chosen, Mode::Spiking, template, gradient, 7, &sources).unwrap();
        assert_eq!(actual, expected, "{template} {}", E::NAME);
    }
}

#[test]
fn the_same_bits_as_of_a_known_type() {
    same_bits::<f32>();
    same_bits::<f64>();
    same_bits::<f16>();
    same_bits::<bf16>();
}

#[test]
fn settings_are_by_name() {
    let mut neuron = chosen();
    neuron.set("tau", Value::Real(4.0)).unwrap();
    neuron.set_reset(Reset::Soft);
    let lif = neuron.downcast_ref::<Leaky>().unwrap();
    assert_eq!(*lif, Leaky { tau: 4.0, reset: Reset::Soft, ..Leaky::default() });
    assert!(neuron.downcast_ref::<Adaptive>().is_none());
    let copy = neuron.clone();
    assert!(*copy == *neuron && *copy != *chosen());
    neuron.set("tau", Value::Real(0.5)).unwrap();
    assert!(*copy != *neuron);
    assert!(matches!(neuron.validate(), Err(Error::ParameterRange { name: "tau", .. })));
    assert!(matches!(neuron.set("tua", Value::Real(1.0)), Err(Error::UnknownParameter { .. })));
}

#[test]
fn nodes_train() {
    let x = Array::full([9, 3], 1.5f32);
    let mut known = MultiStepNode::<_, f32>::new(Leaky::default());
    let mut unknown = MultiStepNode::<_, f32>::new(chosen());
    let spikes = known.forward(&x).unwrap();
    assert_eq!(unknown.forward(&x).unwrap(), spikes);
    assert_eq!(unknown.backward(&spikes).unwrap(), known.backward(&spikes).unwrap());
    assert_eq!(unknown.to_string(), known.to_string());
}

#[test]
fn derivatives_are_checked() {
    assert!(gradcheck(&chosen()).unwrap().checked > 0);
}

/// What is wrong with a call is found as for a known type, also through a reference.
#[test]
fn calls_are_checked() {
    let neuron: &dyn Neuron = &Leaky::default();
    let (x, v, mut spike, mut v_next) = ([0.0f32; 4], [0.0; 4], [0.0; 4], [0.0; 3]);
    let mut outputs = [Sink::Signal(&mut spike), Sink::State(&mut v_next)];
    let call = Call {
        template: Template::Forward,
        neurons: 4,
        gradient: Gradient::default(),
        inputs: &[Source::Signal(&x), Source::State(&v)],
        outputs: &mut outputs,
    };
    let error = neuron.run_any(Mode::Spiking, AnyCall::from(call)).unwrap_err();
    assert!(matches!(error, Error::Length { argument: "v_next", expected: 4, actual: 3, .. }), "{error}");
}
