//! The lean pair against the classical one: training without stored factors gives the same gradients, bit for bit.

use half::{bf16, f16};
use neurons::evaluate::{Mode, Outputs, evaluate};
use neurons::{BufferSpec, Class, DeclaredNeuron, Element, Extent, Gradient, Role, Source, Template};
use neurons_tests::cases::{Case, Host, every_case};
use neurons_tests::compare::same_bits;
use neurons_tests::declared::{Visit, every_neuron};

/// Sizes `[T, N]` around those of blocks of steps and of tiles.
const SIZES: [[usize; 2]; 5] = [[1, 3], [8, 70], [9, 5], [17, 33], [40, 66]];

/// Arrays by their roles.
struct Arrays<'a, E: Element>(Vec<(Role, Source<'a, E>)>);

impl<'a, E: Element> Arrays<'a, E> {
    fn of(buffers: &'static [BufferSpec], hosts: &'a [Host<E>]) -> Self {
        assert_eq!(buffers.len(), hosts.len());
        Self(buffers.iter().map(|buffer| buffer.role).zip(hosts.iter().map(Host::source)).collect())
    }

    /// What a template reads.
    fn inputs(&self, buffers: &'static [BufferSpec]) -> Vec<Source<'a, E>> {
        let find = |role: Role| self.0.iter().find(|(known, _)| *known == role).map(|(_, source)| *source);
        buffers.iter().map(|buffer| find(buffer.role).unwrap_or_else(|| panic!("{buffer:?}"))).collect()
    }
}

/// Everything that `template` computes of `arrays`.
fn run<N: DeclaredNeuron, E: Element>(
    case: &Case<N>,
    template: Template,
    gradient: Gradient,
    arrays: &Arrays<'_, E>,
) -> Vec<(&'static BufferSpec, Host<E>)> {
    let inputs = arrays.inputs(N::SPEC.signature(template).inputs);
    let outputs: Outputs<E> =
        evaluate(&case.neuron, Mode::Spiking, template, gradient, case.neurons, &inputs).unwrap();
    outputs.into_arrays().map(|(buffer, output)| (buffer, output.into())).collect()
}

fn same_gradients<N: DeclaredNeuron, E: Element>(case: &Case<N>) {
    let gradient = case.gradient;
    // Inputs, states, parameters, and gradients of what leaves the neuron.
    let forward = case.input_arrays::<E>();
    let backward = Case { template: Template::Bptt, ..case.clone() }.input_arrays::<E>();
    let mut given = Arrays::of(N::SPEC.signature(case.template).inputs, &forward);
    let grads = Arrays::of(N::SPEC.signature(Template::Bptt).inputs, &backward).0.into_iter();
    given.0.extend(grads.filter(|(role, _)| matches!(role, Role::GradOutput | Role::GradNextState(_))));

    let pair = |forward: Template, backward: Template| {
        let saved = run(case, forward, gradient, &given);
        let sources = saved.iter().map(|(buffer, host)| (buffer.role, host.source()));
        let arrays = Arrays(given.0.iter().copied().chain(sources).collect());
        let grads = run(case, backward, gradient, &arrays);
        let is_result = |role| matches!(role, Role::Output | Role::NextState(_));
        let results: Vec<_> = saved.iter().filter(|(buffer, _)| is_result(buffer.role)).cloned().collect();
        results.into_iter().chain(grads).collect::<Vec<_>>()
    };
    let classical = pair(Template::FpttWithGrad, Template::Bptt);
    let lean = pair(Template::LeanFptt, Template::LeanBptt);
    assert_eq!(classical.len(), lean.len());
    for ((buffer, expected), (other, actual)) in classical.iter().zip(&lean) {
        assert_eq!(buffer, other);
        for (i, (expected, actual)) in expected.numbers().into_iter().zip(actual.numbers()).enumerate() {
            assert!(
                same_bits(expected, actual),
                "{}[{i}] is {actual}, classically {expected}: {} {case:?}",
                buffer.name,
                E::NAME
            );
        }
    }
}

#[test]
fn same_gradients_as_the_classical_pair() {
    struct Same;
    impl Visit for Same {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let cases = every_case::<N>(&SIZES).into_iter();
            for case in cases.filter(|case| case.template == Template::FpttWithGrad) {
                same_gradients::<N, f32>(&case);
                same_gradients::<N, f64>(&case);
                same_gradients::<N, f16>(&case);
                same_gradients::<N, bf16>(&case);
            }
        }
    }
    every_neuron(&mut Same);
}

/// What is saved for the backward pass, in bytes a neuron: nothing of a step.
#[test]
fn nothing_of_a_step_is_saved() {
    struct Saved;
    impl Visit for Saved {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let outputs = |template| N::SPEC.signature(template).outputs;
            let plain = outputs(Template::Fptt);
            for buffer in outputs(Template::LeanFptt) {
                let is_checkpoint = buffer.extent == Extent::Checkpoint && buffer.class == Class::State;
                assert!(plain.contains(buffer) || is_checkpoint, "{} saves {buffer:?}", N::SPEC.name);
            }
        }
    }
    every_neuron(&mut Saved);
}

/// A read-out is linear: its gradient needs nothing of the forward pass.
#[test]
fn a_linear_neuron_is_not_computed_again() {
    let lean = neurons::LeakyIntegrator::SPEC.signature(Template::LeanBptt);
    let roles: Vec<_> = lean.inputs.iter().map(|buffer| buffer.role).collect();
    assert_eq!(roles, [Role::GradOutput, Role::GradNextState(0)]);
}
