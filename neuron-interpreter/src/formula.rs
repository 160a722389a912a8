//! Expressions that are the same for all neurons: of parameters, flags and numbers.

use std::collections::HashMap;

use neuron_codegen::ir::{Cmp, Func, Graph, Id, Node};
use neuron_runtime::Real;

use crate::code::{Op, compute};

/// Where the value of a leaf comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leaf {
    /// A parameter, by its place.
    Param(usize),
    /// A flag, by its place.
    Flag(usize),
    /// Whether the reset takes the spike as a constant.
    DetachReset,
}

/// A value of a [`Formulas`], by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value(pub u32);

#[derive(Clone, Copy, Debug)]
enum Step {
    Leaf(Leaf),
    Number(f64),
    Compute(Op, [Value; 4]),
}

/// Expressions over uniform leaves, each computed once, operands first.
#[derive(Clone, Debug, Default)]
pub struct Formulas {
    steps: Vec<Step>,
}

/// The values of leaves.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// Those of parameters.
    pub params: &'a [f64],
    /// Those of flags.
    pub flags: &'a [bool],
    /// Whether the reset takes the spike as a constant.
    pub detach_reset: bool,
}

impl Formulas {
    /// All values, of parameters that are rounded to `R` first.
    pub fn evaluate<R: Real>(&self, values: Values<'_>) -> Vec<R> {
        let condition = |holds: bool| if holds { R::ONE } else { R::ZERO };
        let mut computed: Vec<R> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            computed.push(match *step {
                Step::Leaf(Leaf::Param(index)) => R::from_f64(values.params[index]),
                Step::Leaf(Leaf::Flag(index)) => condition(values.flags[index]),
                Step::Leaf(Leaf::DetachReset) => condition(values.detach_reset),
                Step::Number(number) => R::from_f64(number),
                Step::Compute(op, operands) => compute(op, operands.map(|value| computed[value.0 as usize])),
            });
        }
        computed
    }

    fn push(&mut self, step: Step) -> Value {
        self.steps.push(step);
        Value(u32::try_from(self.steps.len() - 1).expect("fewer than 2^32 expressions"))
    }
}

/// The values of conditions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Choices {
    /// Those of flags.
    pub flags: Vec<bool>,
    /// Whether the reset takes the spike as a constant.
    pub detach_reset: bool,
}

/// Collects the [`Formulas`] of expressions of one graph.
#[derive(Debug)]
pub struct Collector<'a> {
    graph: &'a Graph,
    leaves: &'a HashMap<Id, Leaf>,
    choices: Option<&'a Choices>,
    known: HashMap<Id, Value>,
    formulas: Formulas,
}

impl<'a> Collector<'a> {
    /// Without expressions.
    pub fn new(graph: &'a Graph, leaves: &'a HashMap<Id, Leaf>) -> Self {
        Self { graph, leaves, choices: None, known: HashMap::new(), formulas: Formulas::default() }
    }

    /// The same where conditions have these values.
    pub fn with(self, choices: &'a Choices) -> Self {
        Self { choices: Some(choices), ..self }
    }

    /// Whether the condition `id` holds, if that is known: it is made of flags.
    fn holds(&self, id: Id) -> Option<bool> {
        let choices = self.choices?;
        let mut known: HashMap<Id, bool> = HashMap::new();
        for part in self.graph.reach([id]) {
            let holds = match (self.graph.node(part), self.leaves.get(&part)) {
                (Node::Not(a), _) => !known[&a],
                (Node::And(a, b), _) => known[&a] && known[&b],
                (Node::Or(a, b), _) => known[&a] || known[&b],
                (_, Some(Leaf::Flag(index))) => choices.flags[*index],
                (_, Some(Leaf::DetachReset)) => choices.detach_reset,
                _ => return None,
            };
            known.insert(part, holds);
        }
        known.get(&id).copied()
    }

    /// What `id` is if it is a choice by flags.
    pub fn chosen(&self, id: Id) -> Option<Id> {
        match self.graph.node(id) {
            Node::Select(cond, a, b) => Some(if self.holds(cond)? { a } else { b }),
            _ => None,
        }
    }

    /// Computes `id` too.
    ///
    /// # Panics
    /// It is not made of leaves that have values.
    pub fn value(&mut self, id: Id) -> Value {
        let graph = self.graph;
        for part in graph.reach_but([id], |part| self.known.contains_key(&part)) {
            let step = match (graph.number(part), self.leaves.get(&part)) {
                (Some(number), _) => Step::Number(number),
                (_, Some(leaf)) => Step::Leaf(*leaf),
                _ => match operation(graph, graph.node(part)) {
                    Operation::Compute(op, operands) => {
                        let operand =
                            |place: usize| operands.get(place).map_or(Value(0), |id| self.known[id]);
                        Step::Compute(op, std::array::from_fn(operand))
                    }
                    Operation::Same(operand) => {
                        self.known.insert(part, self.known[&operand]);
                        continue;
                    }
                },
            };
            let value = self.formulas.push(step);
            self.known.insert(part, value);
        }
        self.known[&id]
    }

    /// What was collected.
    pub fn finish(self) -> Formulas {
        self.formulas
    }
}

/// How a node is computed.
pub enum Operation {
    /// By an operation on these.
    Compute(Op, Vec<Id>),
    /// It is the same as another.
    Same(Id),
}

/// How kernels compute `node`, which is not a leaf.
///
/// # Panics
/// It is a power, which kernels compute by multiplications, or a primitive, which is not computed.
pub fn operation(graph: &Graph, node: Node) -> Operation {
    use Operation::{Compute, Same};
    match node {
        Node::Num(_) | Node::Leaf(_) | Node::Powi(..) | Node::Primitive(_) => {
            unreachable!("{node:?} is not computed")
        }
        // What is computed is the value.
        Node::StraightThrough(a, _) | Node::Detach(a) => Same(a),
        Node::Neg(a) => Compute(Op::Neg, vec![a]),
        Node::Add(a, b) => Compute(Op::Add, vec![a, b]),
        Node::Sub(a, b) => Compute(Op::Sub, vec![a, b]),
        Node::Mul(a, b) => Compute(Op::Mul, vec![a, b]),
        Node::Div(a, b) if graph.number(a) == Some(1.0) => Compute(Op::Reciprocal, vec![b]),
        Node::Div(a, b) => Compute(Op::Div, vec![a, b]),
        Node::Min(a, b) => Compute(Op::Min, vec![a, b]),
        Node::Max(a, b) => Compute(Op::Max, vec![a, b]),
        Node::Call(func, a) => Compute(function(func), vec![a]),
        Node::Compare(Cmp::Lt, a, b) => Compute(Op::Less, vec![a, b]),
        Node::Compare(Cmp::Le, a, b) => Compute(Op::LessEqual, vec![a, b]),
        Node::Compare(Cmp::Eq, a, b) => Compute(Op::Equal, vec![a, b]),
        Node::Compare(Cmp::Ne, a, b) => Compute(Op::NotEqual, vec![a, b]),
        Node::Not(a) => Compute(Op::Not, vec![a]),
        Node::And(a, b) => Compute(Op::And, vec![a, b]),
        Node::Or(a, b) => Compute(Op::Or, vec![a, b]),
        // A condition is the number that this makes of it.
        Node::Select(cond, a, b) if graph.number(a) == Some(1.0) && is_positive_zero(graph, b) => Same(cond),
        Node::Select(cond, a, b) => Compute(Op::Select, vec![cond, a, b]),
    }
}

fn is_positive_zero(graph: &Graph, id: Id) -> bool {
    graph.number(id).is_some_and(|number| number.to_bits() == 0)
}

fn function(func: Func) -> Op {
    match func {
        Func::Exp => Op::Exp,
        Func::Ln => Op::Ln,
        Func::Expm1 => Op::Expm1,
        Func::Log1p => Op::Log1p,
        Func::Exprel => Op::Exprel,
        Func::ExprelSlope => Op::ExprelSlope,
        Func::Sqrt => Op::Sqrt,
        Func::Tanh => Op::Tanh,
        Func::Sigmoid => Op::Sigmoid,
        Func::Abs => Op::Abs,
        Func::Atan => Op::Atan,
        Func::Erf => Op::Erf,
        Func::Sin => Op::Sin,
        Func::Cos => Op::Cos,
        Func::Round => Op::Round,
        Func::Floor => Op::Floor,
        Func::Trunc => Op::Trunc,
    }
}
