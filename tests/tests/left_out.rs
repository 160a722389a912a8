//! Arrays that calls leave out: the CPU computes the same as with arrays of initial values and zeros.

use neurons::evaluate::{Mode, evaluate};
use neurons::{
    Call, DeclaredNeuron, Element, Error, Gradient, Lif, Neuron, Role, Sink, Source, Template, neuron,
};
use neurons_tests::cases::{Case, Host, left_out_cases};
use neurons_tests::compare::{Executor, compare_without};
use neurons_tests::declared::{Visit, every_neuron_and_mixture};

/// The CPU, by way of a neuron that is chosen at run time.
struct Chosen;

impl Executor for Chosen {
    fn run<N: DeclaredNeuron, E: Element>(
        &self,
        case: &Case<N>,
        inputs: &[Host<E>],
        outputs: &mut [Host<E>],
    ) {
        let neuron: Box<dyn Neuron> = Box::new(case.neuron.clone());
        let sources: Vec<Source<'_, E>> = inputs.iter().map(Host::source).collect();
        let sinks = outputs.iter_mut().map(|output| match output {
            Host::Signal(array) => Sink::Signal(array),
            Host::State(array) => Sink::State(array),
            Host::Parameter(array, _) => Sink::Parameter(array),
            Host::Bits(words) => Sink::Bits(words),
        });
        let mut sinks: Vec<Sink<'_, E>> = sinks.collect();
        let &Case { template, neurons, gradient, .. } = case;
        neuron.run(Call { template, neurons, gradient, inputs: &sources, outputs: &mut sinks }).unwrap();
    }

    fn is_exact_in_double<N: DeclaredNeuron>(&self, _: &Case<N>) -> bool {
        true
    }
}

#[test]
fn same_bits_as_with_arrays() {
    struct Same;
    impl Visit for Same {
        fn visit<N: DeclaredNeuron>(&mut self) {
            for (case, left_out) in left_out_cases::<N>() {
                compare_without::<N, f32, _>(&Chosen, &case, left_out);
                compare_without::<N, f64, _>(&Chosen, &case, left_out);
                compare_without::<N, half::f16, _>(&Chosen, &case, left_out);
                compare_without::<N, half::bf16, _>(&Chosen, &case, left_out);
            }
        }
    }
    every_neuron_and_mixture(&mut Same);
}

neuron! {
    /// Starts at a value that may differ between neurons.
    pub struct Raised {
        array v_rest = 0.5;
        state v = v_rest;
        charge = v + x - v_rest;
        reset hard;
    }
}

fn run<N: Neuron>(neuron: &N, template: Template, inputs: &[Source<'_, f32>]) -> Result<Vec<f32>, Error> {
    let outputs = evaluate(neuron, Mode::Spiking, template, Gradient::default(), 2, inputs);
    outputs.map(|mut outputs| outputs.take_state(Role::NextState(0)).unwrap())
}

#[test]
fn initial_values_that_vary_need_an_array() {
    let x = Source::Signal(&[0.25f32, 0.5]);
    let v_rest = Source::Parameter(neurons::Parameter::per_channel(&[0.0f32, 0.5], 1));
    for template in [Template::Forward, Template::Fptt, Template::LeanFptt] {
        let given = run(&Raised::default(), template, &[x, Source::State(&[0.0, 0.5]), v_rest]);
        assert_eq!(given, Ok(vec![0.25, 0.5]));
        let error = run(&Raised::default(), template, &[x, Source::State(&[]), v_rest]).unwrap_err();
        assert_eq!(error, Error::InitialStateVaries { neuron: "Raised", template, argument: "v" });
    }
}

/// Of other arrays, none can be left out, and those that can have all elements otherwise.
#[test]
fn other_arrays_are_needed() {
    let (x, v) = (Source::Signal(&[0.25f32, 0.5]), Source::State(&[0.0f32, 0.5]));
    let refused =
        |inputs: &[Source<'_, f32>], name: &str| match run(&Lif::default(), Template::Forward, inputs) {
            Err(Error::Length { argument, .. }) => assert_eq!(argument, name),
            other => panic!("{other:?}"),
        };
    refused(&[Source::Signal(&[]), v], "x");
    refused(&[x, Source::State(&[0.0])], "v");
}
