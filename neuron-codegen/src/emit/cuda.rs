//! Step programs as CUDA C++.
//!
//! A thread computes one neuron. It takes `STEPS` steps at a time: their loads are issued together, so that
//! memory is waited for once, and the surrogate is chosen once for all of them. What the CPU keeps in lanes
//! of neurons is kept here in blocks of steps; the mathematics is the same text.
//!
//! One source serves four data formats, chosen by a macro when it is compiled: `signal` is the type of
//! inputs, spikes and their gradients in memory, `real` that of everything else. No header is included.

mod arguments;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use crate::emit::api::{self, module_name};
use crate::emit::rust::{equations, title};
use crate::emit::text::Text;
use crate::gradient::Derived;
use crate::ir::{Graph, Id, Sort};
use crate::kernel::{Apply, Phase, Program, Slot};
use crate::print::{Dialect, Printer};
use crate::variant::Class;

pub use arguments::{Argument, arguments};

/// Number formats, functions and surrogates: the same for all neurons.
pub const PRELUDE: &str = concat!(
    include_str!("cuda/prelude.cu"),
    "\n",
    include_str!("cuda/surrogates.cu"),
    "\n",
    include_str!("cuda/gradient.cu")
);

/// Kernels that add up the gradients of learnable parameters over neurons.
const SUMS: &str = include_str!("cuda/sums.cu");

/// The whole source of a neuron, ready to be compiled.
pub fn source(derived: &Derived, programs: &[Program]) -> String {
    format!("{PRELUDE}\n{}", kernels(derived, programs))
}

/// The part of the source that is the neuron's own: every kernel but the relaxed ones.
pub fn kernels(derived: &Derived, programs: &[Program]) -> String {
    let module = module_name(&derived.model);
    let mut text = format!("// ---- {} ", derived.model.name);
    let _ = writeln!(text, "{:-<1$}\n//", "", 106usize.saturating_sub(text.len()));
    let rows = api::equations(derived);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, expr) in rows {
        let _ = writeln!(text, "//     {name:width$} = {expr}");
    }
    let _ = writeln!(text, "\n#define KERNEL(name) NAMED({module}, name)\n");
    let spiking = programs.iter().filter(|program| !program.variant.relaxed);
    text.push_str(&spiking.map(|program| kernel(derived, program)).collect::<Vec<_>>().join("\n"));
    if derived.model.learnables().next().is_some() {
        text.push('\n');
        text.push_str(SUMS);
    }
    text
}

/// One kernel.
pub fn kernel(derived: &Derived, program: &Program) -> String {
    let mut writer = Writer { derived, graph: &derived.model.graph, out: Text::default() };
    writer.header(program);
    writer.signature(program);
    writer.body(program);
    writer.out.text
}

struct Writer<'a> {
    derived: &'a Derived,
    graph: &'a Graph,
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
        self.out.open(format!("extern \"C\" __global__ void KERNEL({})(", program.variant.name()));
        let last = args.len() - 1;
        for (i, arg) in args.into_iter().enumerate() {
            let end = if i == last { ")" } else { "," };
            self.out.line(format!("{arg}{end}"));
        }
        self.out.depth -= 1;
        self.out.open("{");
    }

    fn body(&mut self, program: &Program) {
        self.out.line("const u64 neuron = neuron_index();");
        self.out.line("if (neuron >= neurons) return;");
        if program.detaches {
            self.out.line("const bool detach_reset = gradient.detach_reset;");
        }
        let mut names = HashMap::new();
        for binding in &program.hoisted {
            let value =
                Printer { graph: self.graph, dialect: Dialect::Cuda, names: &names }.definition(binding.expr);
            self.out.line(format!("const {} {} = {value};", self.sort(binding.expr), binding.name));
            names.insert(binding.expr, binding.name.clone());
        }
        for (slot, buffer) in &program.arrays {
            self.out.line(format!("const real {} = {buffer}_in.of(neuron);", slot.local));
        }
        for binding in &program.settled {
            let value =
                Printer { graph: self.graph, dialect: Dialect::Cuda, names: &names }.definition(binding.expr);
            self.out.line(format!("const real {} = {value};", binding.name));
            names.insert(binding.expr, binding.name.clone());
        }
        for carried in &program.carried {
            let start = carried.from.as_ref().map_or("0".to_owned(), |from| format!("{from}_in[neuron]"));
            self.out.line(format!("real {} = {start};", carry(&carried.slot)));
        }
        if program.variant.template.is_multi_step() {
            self.sequence(program);
        } else {
            self.single_step(program);
        }
        for carried in &program.carried {
            self.out.line(format!("{}_out[neuron] = {};", carried.to, carry(&carried.slot)));
        }
        self.out.close();
    }

    fn single_step(&mut self, program: &Program) {
        for (slot, buffer) in &program.loads {
            let value = self.loaded(program, buffer, &format!("{buffer}_in[neuron]"));
            self.out.line(format!("const real {} = {value};", slot.local));
        }
        let mut scope = Scope::new(program);
        for phase in &program.phases {
            // Without steps to wait for, phases follow each other in one scope.
            for slot in &phase.reads {
                if scope.is_carried(slot) && scope.define(&slot.local) {
                    self.out.line(format!("const real {} = {};", slot.local, carry(slot)));
                }
            }
            self.lets(phase, &mut scope);
            for (slot, expr) in &phase.writes {
                let value = self.printer(phase).expr(*expr);
                let applied = phase.apply.iter().find(|(_, applied)| applied == slot);
                if scope.is_carried(slot) {
                    self.out.line(format!("{} = {value};", carry(slot)));
                } else if let Some((apply, _)) = applied {
                    self.out.line(format!("const real {} = gradient.{}({value});", slot.local, apply.name()));
                } else if value != slot.local && scope.define(&slot.local) {
                    self.out.line(format!("const real {} = {value};", slot.local));
                }
            }
        }
        for (slot, buffer) in &program.stores {
            let value = self.stored(program, buffer, &slot.local);
            self.out.line(format!("{buffer}_out[neuron] = {value};"));
        }
    }

    fn sequence(&mut self, program: &Program) {
        let backward = program.variant.template.is_backward();
        self.out.open("for (u64 done = 0; done < steps; done += STEPS) {");
        // Backwards in time, blocks are taken from the end, and steps from the end of each.
        let at = if backward {
            "const u64 at = (steps - 1 - done - step) * neurons + neuron;"
        } else {
            "const u64 at = (done + step) * neurons + neuron;"
        };
        let mut blocks: Vec<String> = program.loads.iter().map(|(slot, _)| block(slot)).collect();
        for (slot, _) in program.phases.iter().flat_map(|phase| &phase.writes) {
            if self.needs_block(program, slot) && !blocks.contains(&block(slot)) {
                blocks.push(block(slot));
            }
        }
        let list: Vec<String> = blocks.iter().map(|name| format!("{name}[STEPS]")).collect();
        self.out.line(format!("real {};", list.join(", ")));
        self.out.open("FOR_STEPS(step) {");
        self.out.line(at);
        for (slot, buffer) in &program.loads {
            let value = self.loaded(program, buffer, &format!("{buffer}_in[at]"));
            self.out.line(format!("{}[step] = {value};", block(slot)));
        }
        self.out.close();
        // What was applied after the phase before is stored by the next, or after the last.
        let mut before: &[(Apply, Slot)] = &[];
        for phase in &program.phases {
            let mut scope = Scope::new(program);
            self.out.open("FOR_STEPS(step) {");
            self.out.line(at);
            self.store_applied(program, before);
            for slot in phase.reads.iter().filter(|slot| !program.is_settled(slot)) {
                let from =
                    if scope.is_carried(slot) { carry(slot) } else { format!("{}[step]", block(slot)) };
                if scope.define(&slot.local) {
                    self.out.line(format!("const real {} = {from};", slot.local));
                }
            }
            self.lets(phase, &mut scope);
            for (slot, expr) in &phase.writes {
                let value = self.printer(phase).expr(*expr);
                if scope.is_carried(slot) {
                    self.out.line(format!("{} = {value};", carry(slot)));
                    continue;
                }
                if self.needs_block(program, slot) {
                    self.out.line(format!("{}[step] = {value};", block(slot)));
                }
                let applied = phase.apply.iter().any(|(_, applied)| applied == slot);
                if let Some((_, buffer)) = program.stores.iter().find(|(stored, _)| stored == slot)
                    && !applied
                {
                    let value = self.stored(program, buffer, &value);
                    self.out.line(format!("{buffer}_out[at] = {value};"));
                }
            }
            self.out.close();
            for (apply, slot) in &phase.apply {
                self.out.line(format!("gradient.{}({});", apply.name(), block(slot)));
            }
            before = &phase.apply;
        }
        if !before.is_empty() {
            self.out.open("FOR_STEPS(step) {");
            self.out.line(at);
            self.store_applied(program, before);
            self.out.close();
        }
        self.out.close();
    }

    /// Stores what was applied after a phase.
    fn store_applied(&mut self, program: &Program, applied: &[(Apply, Slot)]) {
        for (_, slot) in applied {
            if let Some((_, buffer)) = program.stores.iter().find(|(stored, _)| stored == slot) {
                let value = self.stored(program, buffer, &format!("{}[step]", block(slot)));
                self.out.line(format!("{buffer}_out[at] = {value};"));
            }
        }
    }

    /// Whether a slot is read after its phase: by a later phase, or by what is applied to it.
    fn needs_block(&self, program: &Program, slot: &Slot) -> bool {
        let carried = program.carried.iter().any(|carried| carried.slot == *slot);
        let read = program.phases.iter().any(|phase| phase.reads.contains(slot));
        let applied =
            program.phases.iter().flat_map(|phase| &phase.apply).any(|(_, applied)| applied == slot);
        !carried && (read || applied)
    }

    fn lets(&mut self, phase: &Phase, scope: &mut Scope) {
        for binding in &phase.lets {
            if scope.define(&binding.name) {
                let value = self.printer(phase).definition(binding.expr);
                let sort = self.sort(binding.expr);
                self.out.line(format!("const {sort} {} = {value};", binding.name));
            }
        }
    }

    fn sort(&self, expr: Id) -> &'static str {
        match self.graph.sort(expr) {
            Sort::Real => "real",
            Sort::Bool => "bool",
        }
    }

    fn printer<'p>(&'p self, phase: &'p Phase) -> Printer<'p> {
        Printer { graph: self.graph, dialect: Dialect::Cuda, names: &phase.names }
    }

    /// `value` in the format that `buffer` has in memory.
    fn stored(&self, program: &Program, buffer: &str, value: &str) -> String {
        match class(program, buffer) {
            Class::Signal => format!("store({value})"),
            Class::State => value.to_owned(),
        }
    }

    /// What is in `place`, which is in `buffer`, as a number to compute with.
    fn loaded(&self, program: &Program, buffer: &str, place: &str) -> String {
        match class(program, buffer) {
            Class::Signal => format!("load({place})"),
            Class::State => place.to_owned(),
        }
    }
}

fn class(program: &Program, buffer: &str) -> Class {
    program.signature.buffers().find(|b| b.name == buffer).expect("in the signature").class
}

/// The names that a block of code has defined.
struct Scope {
    defined: BTreeSet<String>,
    carried: Vec<Slot>,
}

impl Scope {
    fn new(program: &Program) -> Self {
        let carried = program.carried.iter().map(|carried| carried.slot.clone()).collect();
        Self { defined: BTreeSet::new(), carried }
    }

    /// Whether `name` is new.
    fn define(&mut self, name: &str) -> bool {
        self.defined.insert(name.to_owned())
    }

    fn is_carried(&self, slot: &Slot) -> bool {
        self.carried.contains(slot)
    }
}

fn carry(slot: &Slot) -> String {
    format!("{}_carried", slot.name)
}

fn block(slot: &Slot) -> String {
    format!("{}_block", slot.name)
}
