//! Nodes: one that is given all calls, next to one that is given the right ones only. They have to be the same after each.

use half::{bf16, f16};
use neuron_runtime::step::{Sequence, Single, Stepping};
use neuron_runtime::{
    Array, DeclaredNeuron, Element, Error, Gradient, Layout, MultiStepNode, Node, PackedSpikes, Stateful,
    Surrogate, Value,
};
use proptest::prelude::*;

use crate::model::{Fault, agrees, shape_faults};
use crate::{Bits, Readout, Rich, bits, config, numbers};

/// A shape, mostly as it has to be.
#[derive(Clone, Debug)]
enum Shape {
    /// That of the states, or of the pass that is differentiated; of a sequence with so many steps.
    Right {
        steps: usize,
    },
    Any(Vec<usize>),
}

#[derive(Clone, Debug)]
enum Call {
    Forward { shapes: Vec<Shape>, seed: u64 },
    Packed { shapes: Vec<Shape>, seed: u64 },
    Backward { shape: Shape, seed: u64 },
    SetParameter { name: &'static str, shape: Vec<usize>, value: f64 },
    SetState { name: &'static str, shape: Shape, seed: u64 },
    KeepPasses(usize),
    StoreVSeq(bool),
    Reset,
    Detach,
    ZeroGrad,
    Train,
    Eval,
}

fn any_shape() -> impl Strategy<Value = Vec<usize>> {
    let sizes = prop::sample::select(vec![
        vec![],
        vec![0],
        vec![3],
        vec![2, 3],
        vec![3, 2],
        vec![5, 2, 3],
        vec![2, 3, 1],
        vec![0, 2, 3],
        vec![2, 0],
        vec![1 << 40, 0],
        vec![0, usize::MAX],
        vec![70],
    ]);
    sizes.boxed()
}

fn shape() -> impl Strategy<Value = Shape> {
    let right = prop_oneof![6 => 1..4usize, 2 => 7..19usize, 1 => Just(0)];
    prop_oneof![6 => right.prop_map(|steps| Shape::Right { steps }), 1 => any_shape().prop_map(Shape::Any)]
}

/// Shapes of two inputs: mostly the same.
fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    prop_oneof![
        8 => shape().prop_map(|shape| vec![shape.clone(), shape]),
        1 => prop::collection::vec(shape(), 0..4),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let name = prop::sample::select(vec!["gain", "gain", "w", "w", "v_reset", "tau", "v_threshold", "v"]);
    let state = prop::sample::select(vec!["v", "a", "b"]);
    let own = prop_oneof![
        Just(vec![]),
        Just(vec![3]),
        Just(vec![2, 1]),
        Just(vec![1, 3]),
        Just(vec![2, 3]),
        any_shape()
    ];
    let value = prop_oneof![6 => 1.25..2.0, 1 => Just(-1.0), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)];
    prop_oneof![
        6 => (shapes(), any::<u64>()).prop_map(|(shapes, seed)| Call::Forward { shapes, seed }),
        2 => (shapes(), any::<u64>()).prop_map(|(shapes, seed)| Call::Packed { shapes, seed }),
        5 => (shape(), any::<u64>()).prop_map(|(shape, seed)| Call::Backward { shape, seed }),
        3 => (name, own, value).prop_map(|(name, shape, value)| Call::SetParameter { name, shape, value }),
        2 => (state, shape(), any::<u64>()).prop_map(|(name, shape, seed)| Call::SetState { name, shape, seed }),
        1 => prop::sample::select(vec![0, 1, 2, usize::MAX, usize::MAX]).prop_map(Call::KeepPasses),
        1 => any::<bool>().prop_map(Call::StoreVSeq),
        1 => Just(Call::Reset),
        1 => Just(Call::Detach),
        1 => Just(Call::ZeroGrad),
        1 => Just(Call::Train),
        1 => Just(Call::Eval),
    ]
}

/// What only nodes of sequences can do.
trait Passes: Stepping {
    fn packed<N: DeclaredNeuron, E: Element>(
        node: &mut Stateful<N, E, Self>,
        inputs: &[&Array<E>],
    ) -> Option<Result<PackedSpikes, Error>>;
    fn store_v_seq<N: DeclaredNeuron, E: Element>(node: &mut Stateful<N, E, Self>, stores: bool);
    fn v_seq<N: DeclaredNeuron, E: Element>(node: &Stateful<N, E, Self>) -> Option<&Array<E::Real>>;
}

impl Passes for Single {
    fn packed<N: DeclaredNeuron, E: Element>(
        _: &mut Node<N, E>,
        _: &[&Array<E>],
    ) -> Option<Result<PackedSpikes, Error>> {
        None
    }
    fn store_v_seq<N: DeclaredNeuron, E: Element>(_: &mut Node<N, E>, _: bool) {}
    fn v_seq<N: DeclaredNeuron, E: Element>(_: &Node<N, E>) -> Option<&Array<E::Real>> {
        None
    }
}

impl Passes for Sequence {
    fn packed<N: DeclaredNeuron, E: Element>(
        node: &mut MultiStepNode<N, E>,
        inputs: &[&Array<E>],
    ) -> Option<Result<PackedSpikes, Error>> {
        Some(node.forward_packed(inputs))
    }
    fn store_v_seq<N: DeclaredNeuron, E: Element>(node: &mut MultiStepNode<N, E>, stores: bool) {
        node.store_v_seq(stores);
    }
    fn v_seq<N: DeclaredNeuron, E: Element>(node: &MultiStepNode<N, E>) -> Option<&Array<E::Real>> {
        node.v_seq()
    }
}

/// What a call returns.
type Returned = Vec<Bits>;

/// What is known of a node.
struct Model {
    dims: Option<Vec<usize>>,
    parameters: Vec<Vec<usize>>,
    /// Shapes of the passes to be differentiated.
    saved: Vec<Vec<usize>>,
    kept_passes: usize,
    is_training: bool,
    is_valid: bool,
    has_valid_surrogate: bool,
}

impl Model {
    fn shape(&self, shape: &Shape, is_sequence: bool) -> Vec<usize> {
        match shape {
            Shape::Any(shape) => shape.clone(),
            Shape::Right { steps } => {
                let dims = self.dims.clone().unwrap_or_else(|| vec![2, 3]);
                if is_sequence { [vec![*steps], dims].concat() } else { dims }
            }
        }
    }

    fn forward<N: DeclaredNeuron>(
        &self,
        inputs: &[Vec<usize>],
        is_sequence: bool,
    ) -> (Vec<Fault>, Vec<usize>) {
        let (mut faults, dims) =
            shape_faults::<N>(is_sequence, self.dims.as_deref(), inputs, &self.parameters);
        if !self.is_valid {
            faults.push(Fault::Range);
        }
        if self.is_training && !self.has_valid_surrogate {
            faults.push(Fault::Surrogate);
        }
        (faults, dims)
    }

    fn drop_oldest(&mut self) {
        let dropped = self.saved.len().saturating_sub(self.kept_passes);
        self.saved.drain(..dropped);
    }

    fn set_state<N: DeclaredNeuron>(&self, name: &str, shape: &[usize]) -> Vec<Fault> {
        let mut faults = Vec::new();
        if N::SPEC.state_index(name).is_err() {
            faults.push(Fault::NoSuchState);
        }
        if shape.contains(&0) {
            faults.push(Fault::Empty);
        }
        match &self.dims {
            Some(dims) if dims != shape => faults.push(Fault::Shape),
            Some(_) => {}
            // The others get their initial values.
            None => {
                if !self.is_valid {
                    faults.push(Fault::Range);
                }
                let varies = N::SPEC.states.iter().any(|state| state.varies);
                if varies && self.parameters.iter().any(|own| Layout::broadcast(own, shape).is_none()) {
                    faults.push(Fault::Shape);
                }
            }
        }
        faults
    }

    fn set_parameter<N: DeclaredNeuron>(&self, name: &str, shape: &[usize], value: f64) -> Vec<Fault> {
        if N::SPEC.array_index(name).is_err() {
            return vec![Fault::NoSuchParameter];
        }
        let is_positive = value > 1.0 || !["gain", "tau"].contains(&name);
        let is_in_range = !shape.contains(&0) && value.is_finite() && is_positive;
        if is_in_range && self.is_valid { Vec::new() } else { vec![Fault::Range] }
    }
}

/// Everything that can be seen of a node.
fn seen<N: DeclaredNeuron, E: Element, S: Passes>(
    node: &Stateful<N, E, S>,
) -> (Vec<Option<Vec<Bits>>>, bool) {
    let all = |arrays: &[Array<E::Real>]| arrays.iter().map(bits).collect::<Vec<_>>();
    let mut seen = vec![node.states().map(all), node.grad_states().map(all)];
    seen.push(S::v_seq(node).map(|array| vec![bits(array)]));
    for param in N::SPEC.params {
        seen.push(node.parameter(param.name).map(|array| vec![bits(array)]));
        let grad = node.parameter_grad(param.name).expect("no GPU");
        seen.push(grad.map(|array| vec![bits(&array)]));
    }
    (seen, node.is_training())
}

struct Pair<N, E: Element, S> {
    /// Given every call.
    node: Stateful<N, E, S>,
    /// Given the calls that are right.
    other: Stateful<N, E, S>,
    model: Model,
}

impl<N: DeclaredNeuron, E: Element, S: Passes> Pair<N, E, S> {
    /// Calls both, or the first only, and compares.
    fn both(
        &mut self,
        faults: &[Fault],
        call: impl Fn(&mut Stateful<N, E, S>) -> Result<Returned, Error>,
    ) -> Result<bool, String> {
        let result = call(&mut self.node);
        agrees(&result, faults)?;
        if let Ok(returned) = &result
            && call(&mut self.other).as_ref() != Ok(returned)
        {
            return Err("another result than without the calls that were wrong".to_owned());
        }
        if seen(&self.node) != seen(&self.other) {
            return Err(format!("another state than without the calls that were wrong, after {result:?}"));
        }
        Ok(result.is_ok())
    }

    fn call(&mut self, call: &Call) -> Result<(), String> {
        match call {
            Call::Forward { shapes, seed } => self.forward(shapes, *seed, false)?,
            Call::Packed { shapes, seed } => self.forward(shapes, *seed, true)?,
            Call::Backward { shape, seed } => {
                let shape = match (shape, self.model.saved.last()) {
                    (Shape::Right { .. }, Some(saved)) => saved.clone(),
                    _ => self.model.shape(shape, S::IS_SEQUENCE),
                };
                let faults = match self.model.saved.last() {
                    None => vec![Fault::NoContext],
                    Some(saved) if *saved != shape => vec![Fault::Shape],
                    Some(_) => Vec::new(),
                };
                let grad = numbers::<E>(&shape, *seed);
                let is_done =
                    self.both(&faults, |node| Ok(node.backward_all(&grad)?.iter().map(bits).collect()))?;
                if is_done {
                    self.model.saved.pop();
                }
            }
            Call::SetParameter { name, shape, value } => {
                let faults = self.model.set_parameter::<N>(name, shape, *value);
                let len = shape.iter().product();
                let real = <E::Real as neuron_runtime::Real>::from_f64(*value);
                let values = Array::from_vec(shape.clone(), vec![real; len]).expect("as many");
                if self.both(&faults, |node| node.set_parameter(name, values.clone()).map(|()| Vec::new()))? {
                    let at = N::SPEC.array_index(name).expect("it was set");
                    self.model.parameters[at] = shape.clone();
                }
            }
            Call::SetState { name, shape, seed } => {
                let shape = self.model.shape(shape, false);
                let faults = self.model.set_state::<N>(name, &shape);
                let values = numbers::<E::Real>(&shape, *seed);
                if self.both(&faults, |node| node.set_state(name, values.clone()).map(|()| Vec::new()))? {
                    self.model.dims = Some(shape);
                }
            }
            Call::KeepPasses(most) => {
                self.always(|node| node.keep_passes(*most))?;
                self.model.kept_passes = *most;
                self.model.drop_oldest();
            }
            Call::StoreVSeq(stores) => self.always(|node| S::store_v_seq(node, *stores))?,
            Call::Reset => {
                self.always(Stateful::reset)?;
                self.model.dims = None;
                self.model.saved.clear();
            }
            Call::Detach => {
                self.always(Stateful::detach)?;
                self.model.saved.clear();
            }
            Call::ZeroGrad => self.always(Stateful::zero_grad)?,
            Call::Train => {
                self.always(Stateful::train)?;
                self.model.is_training = true;
            }
            Call::Eval => {
                self.always(Stateful::eval)?;
                self.model.is_training = false;
            }
        }
        Ok(())
    }

    /// What cannot fail.
    fn always(&mut self, call: impl Fn(&mut Stateful<N, E, S>)) -> Result<(), String> {
        self.both(&[], |node| {
            call(node);
            Ok(Vec::new())
        })
        .map(drop)
    }

    fn forward(&mut self, shapes: &[Shape], seed: u64, is_packed: bool) -> Result<(), String> {
        if is_packed && !S::IS_SEQUENCE {
            return Ok(());
        }
        // Shapes are drawn for two inputs.
        let extra = 2 - N::SPEC.inputs.len();
        let shapes: Vec<Vec<usize>> =
            shapes.iter().skip(extra).map(|shape| self.model.shape(shape, S::IS_SEQUENCE)).collect();
        let (mut faults, dims) = self.model.forward::<N>(&shapes, S::IS_SEQUENCE);
        if is_packed && !N::SPEC.fires() {
            faults = vec![Fault::NoTemplate];
        }
        let inputs: Vec<Array<E>> =
            shapes.iter().zip(seed..).map(|(shape, seed)| numbers(shape, seed)).collect();
        let inputs: Vec<&Array<E>> = inputs.iter().collect();
        let is_done = self.both(&faults, |node| {
            let spikes = match is_packed {
                true => S::packed(node, &inputs).expect("a sequence")?.unpack::<E>()?,
                false => node.forward_all(&inputs)?,
            };
            Ok(vec![bits(&spikes)])
        })?;
        if is_done {
            self.model.dims = Some(dims);
            if self.model.is_training {
                self.model.saved.push(shapes[0].clone());
                self.model.drop_oldest();
            }
        }
        Ok(())
    }
}

/// How a node is made: parameters that may be out of range, in one format or in all.
#[derive(Clone, Debug)]
struct Made {
    tau: f64,
    alpha: f64,
    detach_reset: bool,
}

fn made() -> impl Strategy<Value = Made> {
    let tau = prop_oneof![20 => Just(2.0), 1 => Just(1.0), 1 => Just(1.0 + 1e-12), 1 => Just(1e60)];
    let alpha = prop_oneof![20 => Just(2.0), 1 => Just(-1.0), 1 => Just(1e-60), 1 => Just(f64::NAN)];
    (tau, alpha, any::<bool>()).prop_map(|(tau, alpha, detach_reset)| Made { tau, alpha, detach_reset })
}

fn run<N: DeclaredNeuron, E: Element, S: Passes>(made: &Made, calls: &[Call]) -> Result<(), TestCaseError> {
    let Made { tau, alpha, detach_reset } = *made;
    let mut neuron = N::default();
    // Where it is learned, the neuron's own value is one for all from the beginning, which is in range.
    let is_scalar = N::SPEC.array_index("tau").is_err();
    if is_scalar {
        neuron.set("tau", Value::Real(tau)).expect("both neurons have it");
    }
    let surrogate = Surrogate::atan(alpha);
    let node = || Stateful::<N, E, S>::with_gradient(neuron.clone(), Gradient { surrogate, detach_reset });
    let in_format = |value: f64| if E::Real::NAME == "f32" { f64::from(value as f32) } else { value };
    let is_in_range = |value: f64, least: f64| in_format(value) > least && in_format(value).is_finite();
    let model = Model {
        dims: None,
        parameters: N::SPEC.arrays().map(|_| Vec::new()).collect(),
        saved: Vec::new(),
        kept_passes: if S::IS_SEQUENCE { 1 } else { usize::MAX },
        is_training: true,
        is_valid: !is_scalar || is_in_range(tau, 1.0),
        has_valid_surrogate: is_in_range(alpha, 0.0),
    };
    let mut pair = Pair { node: node(), other: node(), model };
    for (i, call) in calls.iter().enumerate() {
        pair.call(call).map_err(|problem| {
            TestCaseError::fail(format!("{}, {}: call {i}, {call:?}: {problem}", N::SPEC.name, E::NAME))
        })?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn single_precision(made in made(), calls in prop::collection::vec(call(), 0..24)) {
        run::<Rich, f32, Single>(&made, &calls)?;
        run::<Rich, f32, Sequence>(&made, &calls)?;
        run::<Readout, f32, Sequence>(&made, &calls)?;
    }

    #[test]
    fn other_formats(made in made(), calls in prop::collection::vec(call(), 0..24)) {
        run::<Rich, f64, Sequence>(&made, &calls)?;
        run::<Rich, f16, Single>(&made, &calls)?;
        run::<Rich, bf16, Sequence>(&made, &calls)?;
    }
}
