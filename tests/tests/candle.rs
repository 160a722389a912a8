//! Every neuron as a layer of candle, forward and backward: the same bits as the runtime's operations.

use candle_core::{DType, Tensor, Var, WithDType};
use half::{bf16, f16};
use neurons::{Array, DeclaredNeuron, Element, ParamKind, Real, Template, Value};
use neurons_candle::{MultiStep, Node};
use neurons_tests::cases::{Case, Host, Inputs, every_case};
use neurons_tests::declared::{Visit, every_neuron};

/// Shape of the states: `N = 33`.
const DIMS: [usize; 2] = [3, 11];

/// Shapes of parameters, taken by turns.
const SHAPES: [&[usize]; 4] = [&[3, 1], &[11], &[], &[3, 11]];

/// An array of the runtime and a variable of candle with the same elements.
struct Pair<T: Element> {
    array: Array<T>,
    var: Var,
}

impl<T: Element + WithDType> Pair<T> {
    fn new(shape: &[usize], values: Vec<T>) -> Self {
        let tensor = Tensor::from_slice(&values, shape, &candle_core::Device::Cpu).unwrap();
        Self { array: Array::from_vec(shape, values).unwrap(), var: Var::from_tensor(&tensor).unwrap() }
    }

    fn tensor(&self) -> Tensor {
        self.var.as_tensor().clone()
    }
}

/// Of `[T, ...]` or `[...]`, in the order of a signature.
fn pairs<E: Element + WithDType>(hosts: Vec<Host<E>>, shape: &[usize]) -> (Vec<Pair<E>>, Vec<Pair<E::Real>>)
where
    E::Real: WithDType,
{
    let (mut signals, mut states) = (Vec::new(), Vec::new());
    for host in hosts {
        match host {
            Host::Signal(values) => signals.push(Pair::new(shape, values)),
            Host::State(values) if values.len() == DIMS[0] * DIMS[1] => {
                states.push(Pair::new(&DIMS, values));
            }
            // Factors, which are computed here, and parameters, which get shapes here.
            Host::State(_) | Host::Parameter(..) | Host::Bits(_) => {}
        }
    }
    (signals, states)
}

/// Values around the neuron's own that are in range.
fn parameters<N: DeclaredNeuron, R: Real + WithDType>(neuron: &N) -> Vec<Pair<R>> {
    let own = |param: &neurons::ParamSpec| match neuron.get(param.name) {
        Some(Value::Real(value)) => value,
        _ => param.default,
    };
    let all: Vec<f64> = N::SPEC.arrays().map(own).collect();
    let parameter = |i: usize| {
        let shape = SHAPES[i % SHAPES.len()];
        let value = |j: usize| {
            let mut values = all.clone();
            values[i] += 0.1 * (7.0 * i as f64 + j as f64).sin();
            let value = if neuron.validate_at(&values).is_ok() { values[i] } else { all[i] };
            <R as Real>::from_f64(value)
        };
        Pair::new(shape, (0..shape.iter().product()).map(value).collect())
    };
    (0..all.len()).map(parameter).collect()
}

/// Candle adds gradients to zeros, which makes 0 of -0, and may do so with instructions that know no subnormal
/// bfloat16.
fn bits<T: WithDType>(values: Vec<T>) -> Vec<u64> {
    let bits = |value: T| match WithDType::to_f64(value) {
        tiny if T::DTYPE == DType::BF16 && tiny.abs() < f64::from(f32::MIN_POSITIVE) => 0,
        value => (value + 0.0).to_bits(),
    };
    values.into_iter().map(bits).collect()
}

fn assert_same<T: Element + WithDType>(actual: &Tensor, expected: &Array<T>, what: &str) {
    assert_eq!(actual.dims(), expected.shape(), "{what}");
    let actual: Vec<T> = actual.flatten_all().unwrap().to_vec1().unwrap();
    assert_eq!(bits(actual), bits(expected.to_vec().unwrap()), "{what}");
}

/// The gradient of the sum of each tensor times its weights are these weights.
fn weighed(outputs: Vec<(Tensor, Tensor)>) -> Tensor {
    let term = |(x, w): (Tensor, Tensor)| {
        let weighed = (x * w.detach()).unwrap();
        weighed.to_dtype(DType::F64).unwrap().sum_all().unwrap()
    };
    Tensor::stack(&outputs.into_iter().map(term).collect::<Vec<_>>(), 0).unwrap().sum_all().unwrap()
}

fn check<N: DeclaredNeuron, E: Element + WithDType>(case: &Case<N>) -> f64
where
    E::Real: WithDType,
{
    let what = format!("{case:?} {}", E::NAME);
    let is_sequence = case.template.is_multi_step();
    let shape = if is_sequence { vec![case.steps, DIMS[0], DIMS[1]] } else { DIMS.to_vec() };
    let (inputs, states) = pairs(case.input_arrays::<E>(), &shape);
    let backward = if is_sequence { Template::Bptt } else { Template::Backward };
    let (grad_output, grad_states) =
        pairs(Case { template: backward, ..case.clone() }.input_arrays::<E>(), &shape);
    let grad_states = &grad_states[..states.len()];
    let parameters = parameters::<N, E::Real>(&case.neuron);

    let arrays: Vec<_> = inputs.iter().map(|pair| &pair.array).collect();
    let state_arrays: Vec<_> = states.iter().map(|pair| &pair.array).collect();
    let parameter_arrays: Vec<_> = parameters.iter().map(|pair| &pair.array).collect();
    let grad_state_arrays: Vec<_> = grad_states.iter().map(|pair| &pair.array).collect();
    macro_rules! operation {
        ($operation:ident) => {{
            let operation = neurons::$operation::new(case.neuron.clone(), case.gradient);
            let (stepped, context) =
                operation.forward_with(&arrays, &state_arrays, &parameter_arrays).unwrap();
            (stepped, context.backward_all(&grad_output[0].array, &grad_state_arrays).unwrap())
        }};
    }
    let (stepped, expected) = if is_sequence { operation!(MultiStep) } else { operation!(Step) };

    let tensors: Vec<_> = inputs.iter().map(Pair::tensor).collect();
    let tensors: Vec<_> = tensors.iter().collect();
    let state_tensors: Vec<_> = states.iter().map(Pair::tensor).collect();
    let parameter_tensors: Vec<_> = parameters.iter().map(Pair::tensor).collect();
    let function = if is_sequence { neurons_candle::multi_step_with } else { neurons_candle::step_with };
    let (output, next) =
        function(&case.neuron, case.gradient, &tensors, &state_tensors, &parameter_tensors).unwrap();
    assert_same(&output, &stepped.spike, &what);
    let mut outputs = vec![(output, grad_output[0].tensor())];
    for ((next, expected), grad) in next.into_iter().zip(&stepped.states).zip(grad_states) {
        assert_same(&next, expected, &what);
        outputs.push((next, grad.tensor()));
    }
    let grads = weighed(outputs).backward().unwrap();
    for (pair, expected) in inputs.iter().zip(&expected.inputs) {
        assert_same(grads.get(&pair.var).unwrap(), expected, &what);
    }
    for (pair, expected) in states.iter().zip(&expected.states) {
        assert_same(grads.get(&pair.var).unwrap(), expected, &what);
    }
    let mut learned = expected.parameters.iter();
    for (param, pair) in N::SPEC.arrays().zip(&parameters) {
        match param.kind {
            ParamKind::Learnable => {
                assert_same(grads.get(&pair.var).unwrap(), learned.next().unwrap(), &what);
            }
            ParamKind::Array | ParamKind::Scalar => assert!(grads.get(&pair.var).is_none(), "{what}"),
        }
    }
    // The function of one step and the layers are the same operation, from the initial states.
    if is_sequence {
        layers(case, &inputs, &parameters, &what)
    }
    stepped.spike.to_vec().unwrap().into_iter().map(WithDType::to_f64).sum()
}

/// From the initial states: a layer without memory, and one with it that takes the steps one by one, against a node of the runtime.
fn layers<N: DeclaredNeuron, E: Element + WithDType>(
    case: &Case<N>,
    inputs: &[Pair<E>],
    parameters: &[Pair<E::Real>],
    what: &str,
) where
    E::Real: WithDType,
{
    let mut layer = MultiStep::new(case.neuron.clone(), case.gradient).unwrap();
    let mut runtime = neurons::MultiStepNode::<N, E>::with_gradient(case.neuron.clone(), case.gradient);
    for (param, pair) in N::SPEC.arrays().zip(parameters) {
        layer = layer.with_parameter(param.name, pair.tensor()).unwrap();
        runtime.set_parameter(param.name, pair.array.clone()).unwrap();
    }
    let arrays: Vec<_> = inputs.iter().map(|pair| &pair.array).collect();
    let expected = runtime.forward_all(&arrays).unwrap();

    let tensors: Vec<_> = inputs.iter().map(Pair::tensor).collect();
    let (output, _) = layer.forward_all(&tensors.iter().collect::<Vec<_>>(), None).unwrap();
    assert_same(&output, &expected, what);
    let mut node = Node::from(layer);
    let step = |t: usize| {
        let inputs: Vec<_> = tensors.iter().map(|input| input.get(t).unwrap()).collect();
        node.step_all(&inputs.iter().collect::<Vec<_>>()).unwrap()
    };
    let steps: Vec<_> = (0..case.steps).map(step).collect();
    assert_same(&Tensor::stack(&steps, 0).unwrap(), &expected, what);
    for (state, expected) in node.states().unwrap().iter().zip(runtime.states().unwrap()) {
        assert_same(state, expected, what);
    }
}

#[test]
fn every_neuron_is_the_runtimes() {
    struct Same;
    impl Visit for Same {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let mut total = 0.0;
            for case in every_case::<N>(&[[9, DIMS.iter().product()]]) {
                let trains = matches!(case.template, Template::ForwardWithGrad | Template::FpttWithGrad);
                // Which surrogate it is makes no difference to candle.
                let is_common = case.inputs == Inputs::Common && case.gradient.surrogate.name() == "ATan";
                if trains && is_common {
                    total += check::<N, f32>(&case).abs();
                    total += check::<N, f64>(&case).abs();
                    total += check::<N, f16>(&case).abs();
                    total += check::<N, bf16>(&case).abs();
                }
            }
            assert!(total > 0.0, "{} says nothing", N::SPEC.name);
        }
    }
    every_neuron(&mut Same);
}
