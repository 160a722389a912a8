//! Initial states that depend on parameters which may be tensors, as programs for tensors.

use std::collections::HashMap;

use neuron_codegen::check::analyse;
use neuron_codegen::derive::derivative;
use neuron_codegen::evaluate::Evaluator;
use neuron_codegen::identifiers::text;
use neuron_codegen::ir::{Cmp, Graph, Id, Node, Rate, Sort};
use neuron_codegen::model::Leaves;
use neuron_interpreter::with_stack;
use neurons::{Neuron, ParamKind, Value};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::model::Model;

/// An operation, the places of its operands among the steps, and a number: that of a `number` or `condition`, the exponent of
/// a `pow`, the place of a `param` among the array parameters.
type Step = (&'static str, Vec<usize>, f64);

/// Steps, operands first; the place of the value; and for each learnable parameter with a derivative its place among
/// the array parameters and the place of the derivative.
type Program = (Vec<Step>, usize, Vec<(usize, usize)>);

/// `Initial(declaration)`: how the initial states of a neuron follow from its parameters.
#[pyclass(frozen, module = "spiking_neurons._core")]
pub struct Initial {
    graph: Graph,
    leaves: Leaves,
    /// In the order of the declaration.
    params: Vec<Param>,
    flags: Vec<(String, Id)>,
    states: Vec<Id>,
}

struct Param {
    name: String,
    leaf: Id,
    kind: ParamKind,
}

#[pymethods]
impl Initial {
    #[new]
    fn new(py: Python<'_>, declaration: &str) -> PyResult<Self> {
        py.detach(|| with_stack(|| Self::read(declaration)))
            .ok_or_else(|| PyValueError::new_err("not a declaration without errors"))
    }

    /// The program of each state, given the flags and scalar parameters of a model; None for a state whose initial value
    /// is a number then.
    fn programs(&self, model: &Model) -> Vec<Option<Program>> {
        self.states.iter().map(|&init| self.program(init, model.neuron())).collect()
    }
}

impl Initial {
    fn read(declaration: &str) -> Option<Self> {
        let analysis = analyse(declaration.parse().ok()?);
        let model = analysis.model.filter(|_| analysis.report.is_empty())?;
        let param = |param: &neuron_codegen::model::Param| Param {
            name: text(&param.name),
            leaf: param.leaf,
            kind: param.kind,
        };
        Some(Self {
            leaves: model.leaves,
            params: model.params.iter().map(param).collect(),
            flags: model.flags.iter().map(|flag| (text(&flag.name), flag.leaf)).collect(),
            states: model.states.iter().map(|state| state.init).collect(),
            graph: model.graph,
        })
    }

    fn program(&self, init: Id, neuron: &dyn Neuron) -> Option<Program> {
        if self.graph.rate(init) == Rate::Uniform {
            return None;
        }
        let known = self.known(neuron);
        let mut graph = self.graph.clone();
        let value = computed(&mut graph, init, &known);
        if graph.rate(value) == Rate::Uniform {
            return None;
        }
        let arrays = || self.params.iter().filter(|param| param.kind != ParamKind::Scalar).enumerate();
        let learnables = arrays().filter(|(_, param)| param.kind == ParamKind::Learnable);
        let slopes: Vec<(usize, Id)> = learnables
            .map(|(place, param)| {
                let slope = derivative(&mut graph, &self.leaves, init, param.leaf);
                (place, computed(&mut graph, slope, &known))
            })
            .collect();
        let mut writer = Writer {
            graph: &graph,
            known: Evaluator::new(&graph, &known),
            arrays: arrays().map(|(place, param)| (param.leaf, place)).collect(),
            steps: Vec::new(),
            places: HashMap::new(),
        };
        // First, so that it can be computed alone.
        let value = writer.place(value);
        let slopes = slopes.into_iter().filter(|&(_, slope)| graph.number(slope) != Some(0.0));
        let slopes = slopes.map(|(param, slope)| (param, writer.place(slope))).collect();
        Some((writer.steps, value, slopes))
    }

    /// The values of what is the same for all neurons; flags are 0 or 1.
    fn known(&self, neuron: &dyn Neuron) -> HashMap<Id, f64> {
        let scalars = self.params.iter().filter(|param| param.kind == ParamKind::Scalar);
        let scalars = scalars.map(|param| (&param.name, param.leaf));
        let all = scalars.chain(self.flags.iter().map(|(name, leaf)| (name, *leaf)));
        all.filter_map(|(name, leaf)| match neuron.get(name)? {
            Value::Real(value) => Some((leaf, value)),
            Value::Flag(flag) => Some((leaf, f64::from(u8::from(flag)))),
        })
        .collect()
    }
}

/// What is computed of `expr`: no choices by conditions that are the same for all neurons, and nothing that is there for
/// its derivative.
fn computed(graph: &mut Graph, expr: Id, known: &HashMap<Id, f64>) -> Id {
    let mut done: HashMap<Id, Id> = HashMap::new();
    for part in graph.reach([expr]) {
        let new = match graph.node(part) {
            Node::Select(condition, a, b) if graph.rate(condition) == Rate::Uniform => {
                done[if Evaluator::new(graph, known).holds(condition) { &a } else { &b }]
            }
            Node::StraightThrough(value, _) | Node::Detach(value) => done[&value],
            node => {
                let node = node.map(|operand| done[&operand]);
                graph.add(node)
            }
        };
        done.insert(part, new);
    }
    done[&expr]
}

struct Writer<'a> {
    graph: &'a Graph,
    known: Evaluator<'a>,
    /// The places of array parameters, by their leaves.
    arrays: HashMap<Id, usize>,
    steps: Vec<Step>,
    places: HashMap<Id, usize>,
}

impl Writer<'_> {
    /// The place of the step that computes `id`; steps that are missing are added.
    fn place(&mut self, id: Id) -> usize {
        let is_number = |id| self.graph.rate(id) == Rate::Uniform;
        let parts = self.graph.reach_but([id], |part| is_number(part) || self.places.contains_key(&part));
        for part in parts {
            let step = self.step(part);
            self.push(part, step);
        }
        if let Some(place) = self.places.get(&id) {
            return *place;
        }
        let kind = if self.graph.sort(id) == Sort::Bool { "condition" } else { "number" };
        let step = (kind, Vec::new(), self.known.number(id));
        self.push(id, step)
    }

    fn push(&mut self, id: Id, step: Step) -> usize {
        self.steps.push(step);
        self.places.insert(id, self.steps.len() - 1);
        self.steps.len() - 1
    }

    /// How a node is computed whose operands have their places, or are numbers.
    fn step(&mut self, id: Id) -> Step {
        let node = self.graph.node(id);
        let (name, number) = match node {
            // Initial values are made of parameters and flags only.
            Node::Leaf(_) => ("param", self.arrays[&id] as f64),
            Node::Powi(_, exponent) => ("pow", f64::from(exponent)),
            node => (name(node), 0.0),
        };
        (name, node.operands().map(|operand| self.place(operand)).collect(), number)
    }
}

/// The operation of a node that has operands, as Python knows it.
fn name(node: Node) -> &'static str {
    match node {
        Node::Neg(_) => "neg",
        Node::Add(..) => "add",
        Node::Sub(..) => "sub",
        Node::Mul(..) => "mul",
        Node::Div(..) => "div",
        Node::Min(..) => "min",
        Node::Max(..) => "max",
        Node::Call(func, _) => func.name(),
        Node::Compare(Cmp::Lt, ..) => "lt",
        Node::Compare(Cmp::Le, ..) => "le",
        Node::Compare(Cmp::Eq, ..) => "eq",
        Node::Compare(Cmp::Ne, ..) => "ne",
        Node::Not(_) => "not",
        Node::And(..) => "and",
        Node::Or(..) => "or",
        Node::Select(..) => "select",
        Node::Num(_) | Node::Leaf(_) | Node::Powi(..) => unreachable!("{node:?} is written by its caller"),
        Node::StraightThrough(..) | Node::Detach(_) | Node::Primitive(_) => {
            unreachable!("{node:?} is not computed")
        }
    }
}
