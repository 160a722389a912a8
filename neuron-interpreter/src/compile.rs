//! Step programs to instructions.

mod allocate;
mod assign;
mod fuse;
mod lanes;

use std::collections::HashMap;

use neuron_codegen::ir::{Graph, Id};
use neuron_codegen::kernel::{Apply, BufferId, Phase, Program, SlotId};
use neuron_codegen::variant::{Class, STEPS};

use crate::code::{Code, Op, Row};
use crate::formula::{Choices, Collector, Leaf, Value};
use allocate::allocate;
use assign::assign;
use fuse::fuse;
use lanes::Lanes;

/// A register, or a number that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The same for all lanes.
    Uniform(Value),
    /// A slot.
    Slot(SlotId),
    /// A slot at a step of a chunk.
    Chunk(SlotId, usize),
    /// A result on the way.
    Temporary(u32),
    /// An array's place among inputs or outputs, a row, or an instruction.
    Number(u32),
}

/// An instruction whose registers have no numbers yet.
#[derive(Clone, Copy, Debug)]
struct Draft {
    op: Op,
    to: Place,
    from: [Place; 4],
}

impl Draft {
    fn new(op: Op, to: Place, from: &[Place]) -> Self {
        let place = |index: usize| from.get(index).copied().unwrap_or(Place::Number(0));
        Self { op, to, from: std::array::from_fn(place) }
    }

    /// In the copy of a step's instructions for that step of a chunk.
    fn of_step(&self, program: &Program, step: usize) -> Self {
        let place = |place| match place {
            Place::Slot(slot) if program.outlasts(slot) => Place::Chunk(slot, step),
            other => other,
        };
        Self { op: self.op, to: place(self.to), from: self.from.map(place) }
    }
}

/// The instructions of `program`, whose uniform expressions are made of `leaves`, where conditions have these values.
pub fn compile(graph: &Graph, leaves: &HashMap<Id, Leaf>, program: &Program, choices: &Choices) -> Code {
    let uniform = Collector::new(graph, leaves).with(choices);
    let mut compiler = Compiler { graph, program, uniform, drafts: Vec::new(), temporaries: 0 };
    compiler.before();
    if program.turns() {
        compiler.chunks();
    } else {
        compiler.steps();
    }
    compiler.after();
    let Compiler { uniform, drafts, temporaries, .. } = compiler;
    assign(&drafts, uniform.finish(), program.slots.len(), temporaries)
}

/// The instructions that replace the values of slot 0, the distance from the threshold, with `value`, an expression of `distance`
/// and of leaves that have values.
pub fn compile_function(graph: &Graph, leaves: &HashMap<Id, Leaf>, distance: Id, value: Id) -> Code {
    let mut uniform = Collector::new(graph, leaves);
    let lanes = Lanes::of_function(graph, &mut uniform, distance, DISTANCE, value);
    let mut temporaries = 0;
    let drafts = allocate(fuse(lanes), &mut temporaries);
    assign(&drafts, uniform.finish(), 1, temporaries)
}

/// The slot of the distance from the threshold in a function of it.
const DISTANCE: SlotId = SlotId(0);

struct Compiler<'a> {
    graph: &'a Graph,
    program: &'a Program,
    uniform: Collector<'a>,
    drafts: Vec<Draft>,
    temporaries: u32,
}

impl Compiler<'_> {
    fn push(&mut self, op: Op, to: Place, from: &[Place]) {
        self.drafts.push(Draft::new(op, to, from));
    }

    /// A jump to instruction `to`.
    fn jump(&mut self, op: Op, to: usize) {
        self.push(op, number(to), &[]);
    }

    /// What comes before the first step.
    fn before(&mut self) {
        let program = self.program;
        for &(slot, buffer) in &program.arrays {
            self.push(Op::LoadValues, Place::Slot(slot), &[number(buffer.0)]);
        }
        let settled = Lanes::settled(self.graph, &mut self.uniform, program);
        self.lanes(settled);
        // What is computed again begins anew with every chunk of steps.
        for carried in program.carried.iter().filter(|carried| carried.to.is_some()) {
            match carried.from {
                Some(from) => self.load(carried.slot, from, Row::First),
                None => self.push(Op::Zero, Place::Slot(carried.slot), &[]),
            }
        }
    }

    /// What comes after the last step.
    fn after(&mut self) {
        for carried in &self.program.carried {
            if let Some(to) = carried.to {
                self.store(carried.slot, to, Row::First);
            }
        }
        self.jump(Op::Stop, 0);
    }

    /// All steps, in one direction.
    fn steps(&mut self) {
        let program = self.program;
        let template = program.variant.template;
        let is_backward = template.is_backward();
        if !template.is_multi_step() {
            return self.pass(is_backward);
        }
        if is_backward {
            self.jump(Op::LastStep, 0);
        }
        let first = self.drafts.len();
        let saved = program.carried.iter().filter_map(|c| Some((c.slot, c.checkpoints?)));
        let saved: Vec<_> = saved.collect();
        if !saved.is_empty() {
            let skip = self.drafts.len();
            self.jump(Op::UnlessCheckpoint, 0);
            saved.into_iter().for_each(|(slot, buffer)| self.store(slot, buffer, Row::Checkpoint));
            self.drafts[skip].to = number(self.drafts.len());
        }
        self.pass(is_backward);
        self.jump(if is_backward { Op::PreviousStep } else { Op::NextStep }, first);
    }

    /// Chunks of steps, the last first: forward through each, then back.
    fn chunks(&mut self) {
        let program = self.program;
        let recomputed = program.carried.iter().filter_map(|c| Some((c.slot, c.from?, c.checkpoints?)));
        let recomputed: Vec<_> = recomputed.collect();
        self.jump(Op::LastChunk, 0);
        let chunk = self.drafts.len();
        self.jump(Op::EnterChunk, 0);
        recomputed.iter().for_each(|&(slot, from, _)| self.load(slot, from, Row::First));
        let skip = self.drafts.len();
        self.jump(Op::Jump, 0);
        self.drafts[chunk].to = number(self.drafts.len());
        recomputed.iter().for_each(|&(slot, _, from)| self.load(slot, from, Row::Checkpoint));
        self.drafts[skip].to = number(self.drafts.len());
        // The instructions of a step, for each step of a chunk: what outlasts it has a register for each.
        let [forward, backward] = [false, true].map(|is_backward| {
            let first = self.drafts.len();
            self.pass(is_backward);
            self.drafts.split_off(first)
        });
        let mut ends = Vec::new();
        for step in 0..STEPS {
            self.drafts.extend(forward.iter().map(|draft| draft.of_step(program, step)));
            ends.push(self.drafts.len());
            self.jump(Op::NextInChunk, 0);
        }
        for step in (0..STEPS).rev() {
            self.drafts[ends[step]].to = number(self.drafts.len());
            self.drafts.extend(backward.iter().map(|draft| draft.of_step(program, step)));
            if step > 0 {
                self.jump(Op::PreviousInChunk, 0);
            }
        }
        self.jump(Op::PreviousChunk, chunk);
    }

    /// One step in one direction.
    fn pass(&mut self, is_backward: bool) {
        let program = self.program;
        let reads = |slot: SlotId| program.pass(is_backward).any(|phase| phase.reads.contains(&slot));
        for &(slot, buffer) in program.loads.iter().filter(|(slot, _)| reads(*slot)) {
            self.load(slot, buffer, Row::Step);
        }
        program.pass(is_backward).for_each(|phase| self.phase(phase));
        let touched = |slot: SlotId| program.pass(is_backward).any(|phase| phase.touches(slot));
        for &(slot, buffer) in program.stores.iter().filter(|(slot, _)| touched(*slot)) {
            self.store(slot, buffer, Row::Step);
        }
    }

    fn phase(&mut self, phase: &Phase) {
        let lanes = Lanes::of_phase(self.graph, &mut self.uniform, self.program, phase);
        self.lanes(lanes);
        for &(apply, slot) in &phase.apply {
            let op = match apply {
                Apply::Surrogate => Op::Surrogate,
                Apply::Primitive => Op::Primitive,
                Apply::Hold => Op::Hold,
            };
            self.push(op, Place::Slot(slot), &[]);
        }
    }

    fn lanes(&mut self, lanes: Lanes) {
        let drafts = allocate(fuse(lanes), &mut self.temporaries);
        self.drafts.extend(drafts);
    }

    fn load(&mut self, slot: SlotId, buffer: BufferId, row: Row) {
        let op = match self.program.signature.inputs[buffer.0].class {
            Class::Signal => Op::LoadSignal,
            Class::State | Class::Bits => Op::LoadState,
        };
        self.push(op, Place::Slot(slot), &[number(buffer.0), Place::Number(row as u32)]);
    }

    fn store(&mut self, slot: SlotId, buffer: BufferId, row: Row) {
        let output = buffer.0 - self.program.signature.inputs.len();
        let op = match self.program.signature.outputs[output].class {
            Class::Signal => Op::StoreSignal,
            Class::State => Op::StoreState,
            Class::Bits => Op::StoreBits,
        };
        self.push(op, number(output), &[Place::Slot(slot), Place::Number(row as u32)]);
    }
}

fn number(number: usize) -> Place {
    Place::Number(index(number))
}

fn index(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 registers and instructions")
}
