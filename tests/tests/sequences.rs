//! What may be asked of a sequence besides spikes: the membrane potential after every step, and spikes of one bit.

use half::{bf16, f16};
use neurons::evaluate::{Mode, Outputs, evaluate};
use neurons::{
    Array, DeclaredNeuron, Device, Element, Error, LeakyIntegrator, Lif, MultiStep, MultiStepNode,
    PackedSpikes, Real, Role, Source, Template,
};
use neurons_tests::cases::{Case, Host, SIZES, every_case};
use neurons_tests::compare::same_bits;
use neurons_tests::declared::{Visit, every_neuron};

fn run<N: DeclaredNeuron, E: Element>(
    case: &Case<N>,
    template: Template,
    inputs: &[Source<'_, E>],
) -> Outputs<E> {
    evaluate(&case.neuron, Mode::Spiking, template, case.gradient, case.neurons, inputs).unwrap()
}

/// The same numbers, or NaN both times.
fn same<R: Real>(actual: &[R], expected: &[R]) -> bool {
    let is_same = |(a, b): (&R, &R)| same_bits(a.to_f64(), b.to_f64());
    actual.len() == expected.len() && actual.iter().zip(expected).all(is_same)
}

/// Bit `n % 32` of word `n / 32` of each step, and 0 beyond the last.
fn words_of<E: Element>(spikes: &[E], neurons: usize) -> Vec<u32> {
    let mut words = Vec::new();
    for step in spikes.chunks(neurons) {
        for part in step.chunks(32) {
            let bit = |(n, spike): (usize, &E)| if spike.load().to_f64() == 1.0 { 1 << n } else { 0 };
            words.push(part.iter().enumerate().map(bit).sum());
        }
    }
    words
}

fn check<N: DeclaredNeuron, E: Element>(case: &Case<N>) {
    let arrays = case.input_arrays::<E>();
    let inputs: Vec<Source<'_, E>> = arrays.iter().map(Host::source).collect();
    let about = || format!("{} {} {case:?}", N::SPEC.name, E::NAME);
    let mut plain = run(case, Template::Fptt, &inputs);
    let spikes = plain.take_signal(Role::Output).unwrap();
    let last = (0..N::SPEC.states.len()).map(Role::NextState);
    let last: Vec<_> = last.map(|role| (role, plain.take_state(role).unwrap())).collect();

    let mut with_v = run(case, Template::FpttWithV, &inputs);
    let again = with_v.take_signal(Role::Output).unwrap();
    let numbers = |array: &[E]| array.iter().map(|value| value.load()).collect::<Vec<_>>();
    assert!(same(&numbers(&again), &numbers(&spikes)), "{}", about());
    // After as many steps, a shorter sequence ends with it.
    let v_seq = with_v.take_state(Role::Trace).unwrap();
    for steps in [1, case.steps / 2, case.steps].into_iter().filter(|steps| *steps > 0) {
        let shorter: Vec<_> = (inputs.iter())
            .map(|input| match *input {
                Source::Signal(array) => Source::Signal(&array[..steps * case.neurons]),
                other => other,
            })
            .collect();
        let v = run(case, Template::Fptt, &shorter).take_state(Role::NextState(0)).unwrap();
        assert!(same(&v_seq[(steps - 1) * case.neurons..steps * case.neurons], &v), "{}", about());
    }

    if !N::SPEC.fires() {
        return;
    }
    let mut packed = run(case, Template::PackedFptt, &inputs);
    let words = packed.take_bits(Role::Output).unwrap();
    assert_eq!(words, words_of(&spikes, case.neurons), "{}", about());
    for outputs in [&mut with_v, &mut packed] {
        for (role, expected) in &last {
            assert!(same(&outputs.take_state(*role).unwrap(), expected), "{role:?}: {}", about());
        }
    }
}

#[test]
fn every_neuron_in_every_format() {
    struct Check;
    impl Visit for Check {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let cases = every_case::<N>(&SIZES).into_iter();
            for case in cases.filter(|case| case.template == Template::Fptt) {
                check::<N, f32>(&case);
                check::<N, f64>(&case);
                check::<N, f16>(&case);
                check::<N, bf16>(&case);
            }
        }
    }
    every_neuron(&mut Check);
}

fn x_seq(shape: [usize; 3]) -> Array<f32> {
    let values = (0..shape.iter().product()).map(|i: usize| (i * 37 % 101) as f32 / 20.0 - 1.0);
    Array::from_vec(shape, values.collect()).unwrap()
}

/// In training and evaluation mode, and by the operation: what a node returns otherwise.
#[test]
fn nodes() {
    let x = x_seq([11, 3, 23]);
    let lif = Lif { tau: 2.0, ..Lif::default() };
    let mut expected = MultiStepNode::<Lif>::new(lif.clone());
    let spikes = expected.forward(&x).unwrap();
    assert!(expected.v_seq().is_none());
    for is_training in [true, false] {
        let mut node = MultiStepNode::<Lif>::new(lif.clone());
        if !is_training {
            node.eval();
        }
        node.store_v_seq(true);
        assert_eq!(node.forward(&x).unwrap(), spikes);
        let v_seq = node.v_seq().unwrap().clone();
        assert_eq!(v_seq.shape(), x.shape());
        assert_eq!(v_seq.as_slice().unwrap()[10 * 69..], *expected.v().unwrap().as_slice().unwrap());
        node.reset();
        assert!(node.v_seq().is_none());

        let packed = node.forward_packed(&[&x]).unwrap();
        assert_eq!(packed.unpack::<f32>().unwrap(), spikes);
        assert_eq!(node.v(), expected.v());
        assert_eq!(node.backward(&spikes).is_ok(), is_training);
    }
    let operation = MultiStep::new(lif, neurons::Surrogate::default());
    let packed = operation.inference_packed(&[&x], &[&Array::zeros([3, 23])]).unwrap();
    assert_eq!(packed.spike, PackedSpikes::pack::<f32>(Lif::SPEC, &spikes).unwrap());
    assert_eq!(Some(&packed.states[0]), expected.v());
    let (stepped, v_seq) = operation.inference_with_v(&[&x], &[&Array::zeros([3, 23])]).unwrap();
    assert_eq!((&stepped.spike, v_seq.shape()), (&spikes, x.shape()));
}

#[test]
fn packed_and_unpacked() {
    let spikes = |shape: &[usize]| {
        let values = (0..shape.iter().product()).map(|i: usize| f64::from(u8::from(i * i % 7 == 2)));
        Array::from_vec(shape, values.collect()).unwrap()
    };
    for shape in [&[1, 1][..], &[3, 31], &[2, 32], &[4, 33], &[5, 2, 50], &[1, 4096], &[2, 65569], &[6]] {
        let spikes = spikes(shape);
        let packed = PackedSpikes::pack::<f64>(Lif::SPEC, &spikes).unwrap();
        let neurons = shape[1..].iter().product();
        assert_eq!(packed.as_words().unwrap(), words_of(spikes.as_slice().unwrap(), neurons));
        assert_eq!((packed.shape(), packed.device()), (shape, Device::Cpu));
        assert_eq!(packed.unpack::<f64>().unwrap(), spikes);
    }
}

#[test]
fn refused() {
    let pack = |shape: &[usize]| PackedSpikes::pack::<f32>(Lif::SPEC, &Array::zeros(shape)).unwrap_err();
    assert!(matches!(pack(&[]), Error::Shape { .. }));
    assert!(matches!(pack(&[0, 3]), Error::Empty { what: "T", .. }));
    assert!(matches!(pack(&[3, 0]), Error::Empty { what: "N", .. }));
    assert!(matches!(pack(&[0, 1 << 40, 4]), Error::Empty { what: "T", .. }));

    // Before anything is done: the state is as before.
    let mut node = MultiStepNode::<LeakyIntegrator>::default();
    let error = node.forward_packed(&[&x_seq([2, 3, 4])]).unwrap_err();
    assert!(matches!(error, Error::NoTemplate { .. }));
    assert_eq!(
        error.to_string(),
        "LeakyIntegrator has no packed_fptt: it does not fire, and its output does not fit into a bit"
    );
    assert!(node.v().is_none());
}
