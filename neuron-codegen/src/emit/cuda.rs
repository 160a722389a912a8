//! Step programs as CUDA C++.
//!
//! A thread computes up to four neurons, its lanes. It takes `STEPS` steps at a time: their loads are issued
//! together, so that memory is waited for once, and the surrogate is chosen once for all of them. Expressions
//! are printed as in the Rust kernels.
//!
//! One source serves four data formats, chosen by a macro when it is compiled: `scalar_t` is the type of
//! inputs, spikes and their gradients in memory, `acc_t` that of everything else. No header is included; a source begins
//! with the [`support`] code that its kernels use.

mod arguments;
mod support;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use crate::description::{self, module_name};
use crate::emit::rust::{equations, title};
use crate::emit::text::Text;
use crate::gradient::Derived;
use crate::ir::{Graph, Id, Sort};
use crate::kernel::{BufferId, Program, Slot, SlotId};
use crate::print::{Dialect, Printer};
use crate::schedule::{Blocks, Form, Schedule, Staging, Target};
use crate::variant::{Class, Extent};

pub use arguments::{Argument, arguments};
pub use support::{Part, support};
pub(crate) use support::{functions, math};

/// The whole source of a neuron, ready to be compiled.
pub fn source(derived: &Derived, programs: &[Program]) -> String {
    format!("{}\n{}", support(parts(derived, programs)), kernels(derived, programs))
}

/// The kernels of a source: all but the relaxed ones.
fn launched(programs: &[Program]) -> impl Iterator<Item = &Program> {
    programs.iter().filter(|program| !program.variant.relaxed)
}

/// The support code that the kernels of a neuron use directly.
fn parts(derived: &Derived, programs: &[Program]) -> BTreeSet<Part> {
    let mut parts: BTreeSet<Part> =
        launched(programs).flat_map(|program| parts_of_kernel(derived, program)).collect();
    parts.extend(derived.model.fires_bits().then_some(Part::Pack));
    parts.extend(derived.model.learnables().next().map(|_| Part::Sums));
    parts
}

/// The support code that a kernel uses directly.
fn parts_of_kernel(derived: &Derived, program: &Program) -> BTreeSet<Part> {
    let schedule = Schedule::of(&program.signature, Target::CUDA);
    let mut parts = BTreeSet::from([Part::Formats, Part::Lanes, Part::Optional]);
    parts.extend(Part::of_width(schedule.width));
    parts.extend(Part::of_blocks(schedule.blocks));
    parts.insert(if packs(program) { Part::WarpTile } else { Part::Tile });
    parts.extend((schedule.form != Form::Step).then_some(Part::Chunk));
    parts.extend((schedule.staging != Staging::None).then_some(Part::Stage));
    // Also for kernels that ignore their `ParamArray` arguments.
    let has_arrays = program.signature.inputs.iter().any(|buffer| buffer.extent == Extent::Parameter);
    parts.extend(has_arrays.then_some(Part::ParamArray));
    parts.extend(program.variant.template.takes_gradient().then_some(Part::SurrogateGradient));
    parts.extend(program.phases.iter().any(|phase| !phase.apply.is_empty()).then_some(Part::Apply));
    let hoisted = program.hoisted.iter().chain(program.settled.iter().map(|(_, binding)| binding));
    let lets = hoisted.chain(program.phases.iter().flat_map(|phase| &phase.lets)).map(|binding| binding.expr);
    let writes = program.phases.iter().flat_map(|phase| &phase.writes).map(|(_, expr)| *expr);
    parts.extend(support::functions(&derived.model.graph, lets.chain(writes)));
    parts
}

/// Whether a kernel writes spikes as bits.
fn packs(program: &Program) -> bool {
    program.signature.outputs.iter().any(|buffer| buffer.class == Class::Bits)
}

/// The part of the source that is the neuron's tile.
pub fn kernels(derived: &Derived, programs: &[Program]) -> String {
    let module = module_name(&derived.model);
    let mut text = format!("// ---- {} ", derived.model.name);
    let _ = writeln!(text, "{:-<1$}\n//", "", 106usize.saturating_sub(text.len()));
    let rows = description::equations(derived);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, expr) in rows {
        let _ = writeln!(text, "//     {name:width$} = {expr}");
    }
    let _ = writeln!(text, "\n#define KERNEL(name) SYMBOL({module}, name)\n");
    text.push_str(&launched(programs).map(|program| kernel(derived, program)).collect::<Vec<_>>().join("\n"));
    text.push_str(&support::kernels(&parts(derived, programs)));
    text
}

/// One kernel.
pub fn kernel(derived: &Derived, program: &Program) -> String {
    let schedule = Schedule::of(&program.signature, Target::CUDA);
    let staged = schedule.staged(program);
    let mut writer = Writer { derived, graph: &derived.model.graph, schedule, staged, out: Text::default() };
    writer.header(program);
    writer.signature(program);
    writer.body(program);
    writer.out.text
}

struct Writer<'a> {
    derived: &'a Derived,
    graph: &'a Graph,
    schedule: Schedule,
    /// What the kernel keeps of a chunk as it is in memory.
    staged: Vec<SlotId>,
    out: Text,
}

impl Writer<'_> {
    fn header(&mut self, program: &Program) {
        self.out.line(format!("// {}.", title(self.derived, program)));
        self.out.line("//");
        for line in equations(self.derived, program) {
            self.out.line(format!("//     {line}"));
        }
    }

    fn signature(&mut self, program: &Program) {
        let args = arguments(self.derived, program);
        let bounds = match self.schedule.blocks {
            Blocks::Any => String::new(),
            blocks => format!("{} ", blocks.name()),
        };
        self.out.open(format!("extern \"C\" __global__ void {bounds}KERNEL({})(", program.variant.name()));
        let last = args.len() - 1;
        for (i, arg) in args.into_iter().enumerate() {
            let end = if i == last { ")" } else { "," };
            self.out.line(format!("{arg}{end}"));
        }
        self.out.depth -= 1;
        self.out.open("{");
    }

    fn body(&mut self, program: &Program) {
        self.out.line(format!("constexpr int LANES = {};", self.schedule.width.name()));
        let tile = if packs(program) { "WarpTile" } else { "Tile" };
        self.out.line(format!("const {tile}<LANES> tile(neurons);"));
        self.out.line("if (tile.empty()) return;");
        if self.schedule.staging != Staging::None {
            let memory = if self.schedule.staging == Staging::Shared { "STAGE_MEMORY " } else { "" };
            let stages: Vec<&str> =
                self.staged.iter().map(|&slot| program.slot(slot).stage.as_str()).collect();
            self.out.line(format!("{memory}Stage<LANES> {};", stages.join(", ")));
        }
        if program.detaches {
            self.out.line("const bool detach_reset = gradient.detach_reset;");
        }
        let mut names = program.names.clone();
        for binding in &program.hoisted {
            let value = self.printer(&names).definition(binding.expr);
            self.out.line(format!("const {} {} = {value};", self.sort(binding.expr), binding.name));
            names.insert(binding.expr, binding.name.clone());
        }
        self.settle(program, names);
        for carried in program.carried.iter().filter(|carried| carried.to.is_some()) {
            let lanes = &program.slot(carried.slot).lanes;
            match carried.from {
                Some(from) => {
                    self.out.line(format!("acc_t {lanes}[LANES];"));
                    self.out.line(start(program, from, lanes));
                }
                None => self.out.line(format!("acc_t {lanes}[LANES] = {{}};")),
            }
        }
        match self.schedule.form {
            Form::Step => self.single_step(program),
            Form::Chunks => self.sequence(program),
            Form::Turns => self.turns(program),
        }
        for carried in &program.carried {
            if let Some(to) = carried.to {
                let lanes = &program.slot(carried.slot).lanes;
                self.out.line(finish(program, to, lanes));
            }
        }
        self.out.close();
    }

    fn printer<'n>(&'n self, names: &'n HashMap<Id, String>) -> Printer<'n> {
        Printer { graph: self.graph, dialect: Dialect::Cuda, names }
    }

    /// What differs between neurons but not over time.
    fn settle(&mut self, program: &Program, mut names: HashMap<Id, String>) {
        if !program.arrays.is_empty() {
            self.out.line("ParamPlace place;");
        }
        for &(slot, buffer) in &program.arrays {
            let lanes = &program.slot(slot).lanes;
            self.out.line(format!("acc_t {lanes}[LANES];"));
            self.out.line(format!("{}.load({lanes}, tile, place);", program.argument(buffer)));
        }
        if program.settled.is_empty() {
            return;
        }
        let slots = program.settled.iter().filter_map(|(slot, _)| *slot);
        let list: Vec<String> = slots.map(|slot| format!("{}[LANES]", program.slot(slot).lanes)).collect();
        self.out.line(format!("acc_t {};", list.join(", ")));
        self.out.open("FOR_LANES(lane) {");
        for &(leaf, slot) in &program.settled_from {
            let Slot { local, lanes, .. } = program.slot(slot);
            self.out.line(format!("const acc_t {local} = {lanes}[lane];"));
            names.insert(leaf, local.clone());
        }
        for (slot, binding) in &program.settled {
            let value = self.printer(&names).definition(binding.expr);
            self.out.line(format!("const {} {} = {value};", self.sort(binding.expr), binding.name));
            if let Some(slot) = slot {
                self.out.line(format!("{}[lane] = {};", program.slot(*slot).lanes, binding.name));
            }
            names.insert(binding.expr, binding.name.clone());
        }
        self.out.close();
    }

    fn single_step(&mut self, program: &Program) {
        self.arrays(program, "LANES");
        for &(slot, buffer) in &program.loads {
            let lanes = &program.slot(slot).lanes;
            self.out.line(format!("tile.load({lanes}, {}, 0);", program.argument(buffer)));
        }
        self.phases(program);
        for &(slot, buffer) in &program.stores {
            let lanes = &program.slot(slot).lanes;
            self.out.line(format!("tile.store({}, 0, {lanes});", program.argument(buffer)));
        }
    }

    fn sequence(&mut self, program: &Program) {
        self.out.open(match program.variant.template.is_backward() {
            true => "for (u64 index = chunk_count(steps); index-- > 0;) {",
            false => "for (u64 index = 0; index < chunk_count(steps); ++index) {",
        });
        self.out.line("const Chunk chunk(index, steps);");
        self.arrays(program, "STEPS][LANES");
        for &(slot, buffer) in &program.loads {
            let values = &program.slot(slot).chunk;
            self.out.line(format!("tile.load({values}, {}, chunk);", program.argument(buffer)));
        }
        for carried in &program.carried {
            if let Some(checkpoints) = carried.checkpoints {
                let (checkpoints, lanes) = (program.argument(checkpoints), &program.slot(carried.slot).lanes);
                self.out.line(format!("if (index > 0) tile.store({checkpoints}, index - 1, {lanes});"));
            }
        }
        self.phases(program);
        for &(slot, buffer) in &program.stores {
            let values = &program.slot(slot).chunk;
            self.out.line(format!("tile.store({}, chunk, {values});", program.argument(buffer)));
        }
        self.out.close();
    }

    /// Forward through each chunk of steps and back, one lane after the other.
    fn turns(&mut self, program: &Program) {
        self.out.open("for (u64 index = chunk_count(steps); index-- > 0;) {");
        self.out.line("const Chunk chunk(index, steps);");
        for &(slot, buffer) in &program.loads {
            let stage = &program.slot(slot).stage;
            self.out.line(format!("{stage}.load({}, tile, chunk);", program.argument(buffer)));
        }
        for carried in &program.carried {
            let (Some(from), Some(checkpoints)) = (carried.from, carried.checkpoints) else { continue };
            let lanes = &program.slot(carried.slot).lanes;
            self.out.line(format!("acc_t {lanes}[LANES];"));
            self.out.line(format!("if (index == 0) {}", start(program, from, lanes)));
            self.out.line(format!("else tile.load({lanes}, {}, index - 1);", program.argument(checkpoints)));
        }
        if self.schedule.staging == Staging::Shared {
            self.out.line("Stage<LANES>::wait();");
        }
        self.out.open("FOR_LANES(lane) {");
        self.arrays(program, "STEPS");
        self.phases(program);
        self.out.close();
        for &(slot, buffer) in &program.stores {
            let stage = &program.slot(slot).stage;
            self.out.line(format!("{stage}.store({}, tile, chunk);", program.argument(buffer)));
        }
        self.out.close();
    }

    /// Declares what is kept of a step or chunk. A chunk starts as zeros: otherwise the compiler would have to assume that
    /// values of the previous chunk survive in the steps that this one lacks, and would keep them in registers.
    fn arrays(&mut self, program: &Program, extent: &str) {
        let form = self.schedule.form;
        let loads = program.loads.iter().map(|(slot, _)| *slot);
        let slots = loads.chain(program.kept()).filter(|slot| !self.staged.contains(slot));
        let name = |slot: SlotId| match form {
            Form::Step => program.slot(slot).lanes.as_str(),
            _ => program.slot(slot).chunk.as_str(),
        };
        let names: Vec<&str> = slots.map(name).collect();
        match form {
            Form::Step => {
                let list: Vec<String> = names.iter().map(|name| format!("{name}[{extent}]")).collect();
                self.out.line(format!("acc_t {};", list.join(", ")));
            }
            _ => names.iter().for_each(|name| self.out.line(format!("acc_t {name}[{extent}] = {{}};"))),
        }
    }

    fn phases(&mut self, program: &Program) {
        let form = self.schedule.form;
        let place = |id: SlotId| {
            let slot = program.slot(id);
            match form {
                _ if program.is_carried(id) || program.is_settled(id) => format!("{}[lane]", slot.lanes),
                Form::Step => format!("{}[lane]", slot.lanes),
                Form::Chunks => format!("{}[step][lane]", slot.chunk),
                Form::Turns => format!("{}[step]", slot.chunk),
            }
        };
        for phase in &program.phases {
            self.out.open(match (form, phase.is_backward) {
                (Form::Step, _) => "FOR_LANES(lane) {",
                (Form::Chunks, false) => "chunk.forward([&](int step) { FOR_LANES(lane) {",
                (Form::Chunks, true) => "chunk.backward([&](int step) { FOR_LANES(lane) {",
                (Form::Turns, false) => "chunk.forward([&](int step) {",
                (Form::Turns, true) => "chunk.backward([&](int step) {",
            });
            for &slot in &phase.reads {
                let Slot { local, stage, .. } = program.slot(slot);
                let value = match self.staged.contains(&slot) {
                    true => format!("{stage}.get(step, lane)"),
                    false => place(slot),
                };
                self.out.line(format!("const acc_t {local} = {value};"));
            }
            let printer = Printer { graph: self.graph, dialect: Dialect::Cuda, names: &phase.names };
            for binding in &phase.lets {
                let (sort, value) = (self.sort(binding.expr), printer.definition(binding.expr));
                self.out.line(format!("const {sort} {} = {value};", binding.name));
            }
            for &(slot, expr) in &phase.writes {
                let value = printer.expr(expr);
                self.out.line(match self.staged.contains(&slot) {
                    true => format!("{}.set(step, lane, {value});", program.slot(slot).stage),
                    false => format!("{} = {value};", place(slot)),
                });
            }
            match form {
                Form::Step => self.out.close(),
                Form::Chunks => self.out.close_with("}});"),
                Form::Turns => self.out.close_with("});"),
            }
            for &(_, slot) in &phase.apply {
                let Slot { lanes, chunk, .. } = program.slot(slot);
                let values = match form {
                    Form::Step => format!("{lanes}, LANES"),
                    Form::Chunks | Form::Turns => format!("{chunk}, chunk.count"),
                };
                self.out.line(format!("surrogates::apply(gradient, {values});"));
            }
        }
    }

    fn sort(&self, expr: Id) -> &'static str {
        match self.graph.sort(expr) {
            Sort::Real => "acc_t",
            Sort::Bool => "bool",
        }
    }
}

/// Loads what is carried from `from`; where a call leaves that out, it begins at a number.
fn start(program: &Program, from: BufferId, lanes: &str) -> String {
    let initial = program.initial.iter().find(|(buffer, _)| *buffer == from);
    let initial = initial.map_or("acc_t(0.0)", |(_, name)| name);
    format!("load_or(tile, {lanes}, {}, {initial});", program.argument(from))
}

/// Stores what is carried to `to`, which a call may leave out unless it is the gradient of a parameter.
fn finish(program: &Program, to: BufferId, lanes: &str) -> String {
    let (array, buffer) = (program.argument(to), program.signature.buffers().nth(to.0));
    match buffer.and_then(|buffer| buffer.role.absent()) {
        Some(_) => format!("store_if(tile, {array}, {lanes});"),
        None => format!("tile.store({array}, 0, {lanes});"),
    }
}
