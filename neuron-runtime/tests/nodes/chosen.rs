//! Neurons that are chosen at run time.

use half::{bf16, f16};
use neuron_runtime::any::AnyCall;
use neuron_runtime::evaluate::{Mode, evaluate};
use neuron_runtime::{
    Array, Call, Element, Error, Gradient, MultiStepNode, Neuron, Real, Reset, Sink, Source, Template, Value,
    gradcheck,
};

use crate::neurons::{Adaptive, Leaky};

fn table() -> Vec<Box<dyn Neuron>> {
    vec![Box::new(Leaky::default()), Box::new(Adaptive::default())]
}

fn same_bits<N: Neuron + Clone, E: Element>(known: &N, chosen: &Box<dyn Neuron>) {
    let spec = known.spec();
    for template in spec.templates().filter(|template| !template.is_backward()) {
        let signature = spec.signature(template);
        let signal: Vec<E> =
            (0..7 * 9).map(|i| E::store(E::Real::from_f64(f64::from(i % 11) * 0.3))).collect();
        let steps = if template.is_multi_step() { 9 } else { 1 };
        let state = vec![E::Real::from_f64(0.25); 7];
        let sources = signature.inputs.iter().map(|buffer| match buffer.class {
            neuron_runtime::Class::Signal => Source::Signal(&signal[..7 * steps]),
            _ => Source::State(&state[..]),
        });
        let sources: Vec<Source<'_, E>> = sources.collect();
        let run = |neuron: &Box<dyn Neuron>| {
            evaluate(neuron, Mode::Spiking, template, Gradient::default(), 7, &sources).unwrap()
        };
        let expected = evaluate(known, Mode::Spiking, template, Gradient::default(), 7, &sources).unwrap();
        assert_eq!(run(chosen), expected, "{} {template} {}", spec.name, E::NAME);
    }
}

#[test]
fn the_same_bits_as_of_a_known_type() {
    let [lif, two] = <[_; 2]>::try_from(table()).unwrap();
    macro_rules! all {
        ($($format:ty),*) => {$(
            same_bits::<_, $format>(&Leaky::default(), &lif);
            same_bits::<_, $format>(&Adaptive::default(), &two);
        )*};
    }
    all!(f32, f64, f16, bf16);
}

#[test]
fn settings_are_by_name() {
    let mut neuron: Box<dyn Neuron> = Box::new(Leaky::default());
    neuron.set("tau", Value::Real(4.0)).unwrap();
    neuron.set_reset(Reset::Soft);
    let lif = neuron.downcast_ref::<Leaky>().unwrap();
    assert_eq!(*lif, Leaky { tau: 4.0, reset: Reset::Soft, ..Leaky::default() });
    assert!(neuron.downcast_ref::<Adaptive>().is_none());
    let copy = neuron.clone();
    assert!(*copy == *neuron && *copy != *table()[0] && *copy != *table()[1]);
    neuron.set("tau", Value::Real(0.5)).unwrap();
    assert!(*copy != *neuron);
    assert!(matches!(neuron.validate(), Err(Error::ParameterRange { name: "tau", .. })));
    assert!(matches!(neuron.set("tua", Value::Real(1.0)), Err(Error::UnknownParameter { .. })));
}

#[test]
fn nodes_train() {
    let x = Array::full([9, 3], 1.5f32);
    let train = |spikes: &mut dyn FnMut(&Array<f32>) -> (Array<f32>, Array<f32>)| spikes(&x);
    let mut known = MultiStepNode::<_, f32>::new(Leaky::default());
    let mut chosen = MultiStepNode::<Box<dyn Neuron>, f32>::new(Box::new(Leaky::default()));
    let expected = train(&mut |x| {
        let spikes = known.forward(x).unwrap();
        (spikes.clone(), known.backward(&spikes).unwrap())
    });
    let actual = train(&mut |x| {
        let spikes = chosen.forward(x).unwrap();
        (spikes.clone(), chosen.backward(&spikes).unwrap())
    });
    assert_eq!(actual, expected);
    assert_eq!(chosen.to_string(), known.to_string());
}

#[test]
fn derivatives_are_checked() {
    for neuron in table() {
        assert!(gradcheck(&neuron).unwrap().checked > 0);
    }
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
