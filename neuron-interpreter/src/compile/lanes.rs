//! The values of one phase, each computed once from those before it.

use std::collections::HashMap;

use neuron_codegen::ir::{Graph, Id, Rate};
use neuron_codegen::kernel::{Let, Phase, Program, SlotId};

use crate::code::Op;
use crate::formula::{Collector, Operation, Value, operation};

/// Where an operand is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// The same for all lanes.
    Uniform(Value),
    /// What a slot has before the phase.
    Slot(SlotId),
    /// The result of a computation of this phase, by its place.
    Result(usize),
}

/// A computation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computation {
    /// What is computed.
    pub op: Op,
    /// Of what.
    pub operands: Vec<Operand>,
}

/// What a phase computes and stores in slots.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    /// In order.
    pub computations: Vec<Computation>,
    /// All slots that are written, after everything is computed.
    pub writes: Vec<(SlotId, Operand)>,
}

impl Lanes {
    /// Of a phase of `program`.
    pub fn of_phase<'a>(
        graph: &'a Graph,
        uniform: &mut Collector<'a>,
        program: &Program,
        phase: &Phase,
    ) -> Self {
        let mut builder = Builder::new(graph, uniform, &phase.names);
        // What a phase defines may be one of these, and is found by their names then.
        let hoisted = program.hoisted.iter().map(|Let { name, expr }| (expr, name));
        for (expr, name) in program.names.iter().chain(hoisted) {
            let value = builder.uniform.value(*expr);
            builder.bound.insert(name, Operand::Uniform(value));
        }
        for &slot in &phase.reads {
            builder.bound.insert(&program.slot(slot).local, Operand::Slot(slot));
        }
        for Let { name, expr } in &phase.lets {
            let value = builder.value(*expr);
            builder.bound.insert(name, value);
        }
        let writes = phase.writes.iter().map(|&(slot, expr)| (slot, builder.value(expr))).collect();
        Self { computations: builder.computations, writes }
    }

    /// Of a function of the distance from the threshold, which is in `slot` before and whose value is there after.
    pub fn of_function<'a>(
        graph: &'a Graph,
        uniform: &mut Collector<'a>,
        distance: Id,
        slot: SlotId,
        value: Id,
    ) -> Self {
        let names = HashMap::new();
        let mut builder = Builder::new(graph, uniform, &names);
        builder.known.insert(distance, Operand::Slot(slot));
        let value = builder.value(value);
        Self { computations: builder.computations, writes: vec![(slot, value)] }
    }

    /// Of what a program computes from parameters that differ between neurons, before the first step.
    pub fn settled<'a>(graph: &'a Graph, uniform: &mut Collector<'a>, program: &Program) -> Self {
        let names = HashMap::new();
        let mut builder = Builder::new(graph, uniform, &names);
        builder.known.extend(program.settled_from.iter().map(|&(leaf, slot)| (leaf, Operand::Slot(slot))));
        let mut writes = Vec::new();
        for (slot, Let { expr, .. }) in &program.settled {
            let value = builder.value(*expr);
            writes.extend(slot.map(|slot| (slot, value)));
        }
        Self { computations: builder.computations, writes }
    }
}

struct Builder<'a, 'u, 'p> {
    graph: &'a Graph,
    uniform: &'u mut Collector<'a>,
    /// The names of values that may be there by name.
    names: &'p HashMap<Id, String>,
    /// What names stand for by now.
    bound: HashMap<&'p str, Operand>,
    known: HashMap<Id, Operand>,
    computations: Vec<Computation>,
}

impl<'a, 'u, 'p> Builder<'a, 'u, 'p> {
    fn new(graph: &'a Graph, uniform: &'u mut Collector<'a>, names: &'p HashMap<Id, String>) -> Self {
        Self { graph, uniform, names, bound: HashMap::new(), known: HashMap::new(), computations: Vec::new() }
    }

    fn find(&self, id: Id) -> Option<Operand> {
        let by_name = || self.names.get(&id).and_then(|name| self.bound.get(name.as_str()));
        self.known.get(&id).or_else(by_name).copied()
    }

    fn value(&mut self, id: Id) -> Operand {
        let graph = self.graph;
        let is_uniform = |id| graph.rate(id) == Rate::Uniform;
        if is_uniform(id) {
            return Operand::Uniform(self.uniform.value(id));
        }
        // Operands come first.
        for part in graph.reach_but([id], |part| is_uniform(part) || self.find(part).is_some()) {
            let chosen = self.uniform.chosen(part).map(Operation::Same);
            let mut operand = |id| match self.find(id) {
                Some(operand) => operand,
                None => Operand::Uniform(self.uniform.value(id)),
            };
            let value = match chosen.unwrap_or_else(|| operation(graph, graph.node(part))) {
                Operation::Same(id) => operand(id),
                Operation::Compute(op, operands) => {
                    let operands = operands.into_iter().map(operand).collect();
                    self.computations.push(Computation { op, operands });
                    Operand::Result(self.computations.len() - 1)
                }
            };
            self.known.insert(part, value);
        }
        self.find(id).expect("it was just computed")
    }
}
