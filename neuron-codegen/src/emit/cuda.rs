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
mod groups;
mod loops;
mod scan;
mod support;
mod tiles;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use neuron_abi::kernel as kernel_name;

use crate::description::{self, module_name};
use crate::emit::rust::{equations, title};
use crate::emit::text::Text;
use crate::gradient::Derived;
use crate::ir::{Graph, Id, Sort};
use crate::kernel::{BufferId, Phase, Program, Slot, SlotId};
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
    parts.extend(program.adds_up().then_some(Part::GradientSum));
    parts.extend(Schedule::few(program, Target::CUDA).map(|_| Part::Groups));
    if let (Some(affine), Some(_)) = (&program.affine, Schedule::scan(program, Target::CUDA)) {
        parts.insert(Part::Scan);
        parts.extend(support::functions(&derived.model.graph, affine.slopes.iter().flatten().copied()));
    }
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

/// The kernel of a program, and after it the one for few neurons and the one that scans, if it has these.
pub fn kernel(derived: &Derived, program: &Program) -> String {
    let schedule = Schedule::of(&program.signature, Target::CUDA);
    let few = Schedule::few(program, Target::CUDA);
    let schedules = std::iter::once(schedule).chain(few).chain(Schedule::scan(program, Target::CUDA));
    schedules.map(|schedule| write(derived, program, schedule)).collect::<Vec<_>>().join("\n")
}

fn write(derived: &Derived, program: &Program, schedule: Schedule) -> String {
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

/// How the statements of a phase read and write a slot.
struct Storage<'s> {
    /// Its value.
    get: &'s dyn Fn(SlotId) -> String,
    /// The statement that gives it a value.
    set: &'s dyn Fn(SlotId, &str) -> String,
}

impl Writer<'_> {
    fn header(&mut self, program: &Program) {
        let form = match self.schedule.form {
            Form::Groups => ", for few neurons",
            Form::Scan => ", by a scan",
            _ => "",
        };
        self.out.line(format!("// {}{form}.", title(self.derived, program)));
        self.out.line("//");
        for line in equations(self.derived, program) {
            self.out.line(format!("//     {line}"));
        }
    }

    fn signature(&mut self, program: &Program) {
        let args = arguments(self.derived, program);
        let bounds = match (self.schedule.staging, self.schedule.blocks) {
            (Staging::Group(group), Blocks::Any) => format!("__launch_bounds__({}) ", group.threads()),
            (Staging::Group(group), _) => format!("__launch_bounds__({}, 4) ", group.threads()),
            (Staging::Maps(warps), _) => format!("__launch_bounds__({}) ", warps.threads()),
            (_, Blocks::Any) => String::new(),
            (_, blocks) => format!("{} ", blocks.name()),
        };
        let name = program.variant.name();
        let name = match self.schedule.form {
            Form::Groups => kernel_name::few(&name),
            Form::Scan => kernel_name::scan(&name),
            _ => name,
        };
        self.out.open(format!("extern \"C\" __global__ void {bounds}KERNEL({name})("));
        let last = args.len() - 1;
        for (i, arg) in args.into_iter().enumerate() {
            let end = if i == last { ")" } else { "," };
            self.out.line(format!("{arg}{end}"));
        }
        self.out.depth -= 1;
        self.out.open("{");
    }

    fn body(&mut self, program: &Program) {
        let tile = if packs(program) { "WarpTile" } else { "Tile" };
        let count = match self.schedule.staging {
            Staging::Group(group) => Some(format!("CHUNKS = {}", group.name())),
            Staging::Maps(warps) => Some(format!("WARPS = {}", warps.name())),
            _ => None,
        };
        let width = self.schedule.width.name();
        if let Some(count) = count {
            self.out.line(format!("constexpr int LANES = {width}, {count};"));
            self.out.line(format!("const {tile}<LANES> tile(neuron_of_thread(), neurons);"));
        } else {
            self.out.line(format!("constexpr int LANES = {width};"));
            let constant = if program.adds_up() { "" } else { "const " };
            self.out.line(format!("{constant}{tile}<LANES> tile(neurons);"));
        }
        self.out.line(match self.adds_up(program) {
            true => "if (tile.first >= columns) return;",
            false => "if (tile.empty()) return;",
        });
        let stages: Vec<&str> = self.staged.iter().map(|&slot| program.slot(slot).stage.as_str()).collect();
        let stages = stages.join(", ");
        match self.schedule.staging {
            Staging::None => {}
            Staging::Registers => self.out.line(format!("Stage<LANES> {stages};")),
            Staging::Shared => self.out.line(format!("STAGE_MEMORY Stage<LANES> {stages};")),
            Staging::Group(_) => self.out.line(format!("__shared__ Group<CHUNKS> {stages};")),
            Staging::Maps(_) => {
                let states = program.affine.as_ref().map_or(0, |affine| affine.carried.len());
                self.out.line(format!("__shared__ Maps<{states}, WARPS> maps;"));
            }
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
        self.open_tiles(program);
        match self.schedule.form {
            Form::Step => self.single_step(program),
            Form::Chunks => self.sequence(program),
            Form::Turns => self.turns(program),
            Form::Groups => self.groups(program),
            Form::Scan => self.scan(program),
        }
        self.close_tiles(program);
        self.out.close();
    }

    /// What is carried, before the first step.
    fn begin(&mut self, program: &Program) {
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
    }

    /// What is carried, after the last step.
    fn end(&mut self, program: &Program) {
        for carried in &program.carried {
            if let Some(to) = carried.to {
                let slot = program.slot(carried.slot);
                self.out.line(match program.is_sum(to) {
                    true if self.adds_up(program) => format!("{}.add(tile, {});", slot.sum, slot.lanes),
                    true => format!("tile.store((acc_t *){}, 0, {});", program.argument(to), slot.lanes),
                    false => format!("store_if(tile, {}, {});", program.argument(to), slot.lanes),
                });
            }
        }
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

    /// The statements of a phase, for one step of one lane.
    fn statements(&mut self, program: &Program, phase: &Phase, storage: &Storage<'_>) {
        for &slot in &phase.reads {
            self.out.line(format!("const acc_t {} = {};", program.slot(slot).local, (storage.get)(slot)));
        }
        let printer = Printer { graph: self.graph, dialect: Dialect::Cuda, names: &phase.names };
        for binding in &phase.lets {
            let (sort, value) = (self.sort(binding.expr), printer.definition(binding.expr));
            self.out.line(format!("const {sort} {} = {value};", binding.name));
        }
        for &(slot, expr) in &phase.writes {
            self.out.line((storage.set)(slot, &printer.expr(expr)));
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

/// Declares states before the chunk `index`, and loads them from its checkpoint.
fn restart(out: &mut Text, program: &Program) {
    for carried in &program.carried {
        let (Some(from), Some(checkpoints)) = (carried.from, carried.checkpoints) else { continue };
        let lanes = &program.slot(carried.slot).lanes;
        out.line(format!("acc_t {lanes}[LANES];"));
        out.line(format!("if (index == 0) {}", start(program, from, lanes)));
        out.line(format!("else tile.load({lanes}, {}, index - 1);", program.argument(checkpoints)));
    }
}
