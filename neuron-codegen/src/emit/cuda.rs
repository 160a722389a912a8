//! Step programs as CUDA C++.
//!
//! A thread computes one or two neurons, its lanes. It takes `STEPS` steps at a time: their loads are issued
//! together, so that memory is waited for once, and the surrogate is chosen once for all of them. The mathematics
//! is the text of the Rust kernels.
//!
//! One source serves four data formats, chosen by a macro when it is compiled: `signal` is the type of
//! inputs, spikes and their gradients in memory, `real` that of everything else. No header is included.

mod arguments;

use std::collections::HashMap;
use std::fmt::Write;

use crate::emit::api::{self, module_name};
use crate::emit::rust::{equations, title};
use crate::emit::text::Text;
use crate::gradient::Derived;
use crate::ir::{Graph, Id, Sort};
use crate::kernel::{Program, Slot};
use crate::print::{Dialect, Printer};
use crate::variant::{Class, Template};

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

/// Kernels that pack spikes, and unpack them.
const BITS: &str = include_str!("cuda/bits.cu");

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
    if derived.model.threshold().is_some() {
        text.push('\n');
        text.push_str(BITS);
    }
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
        let bounds = bounds(program);
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
        let lanes = if program.signature.lanes == 1 { "1" } else { "PAIR" };
        self.out.line(format!("constexpr int LANES = {lanes};"));
        let packs = program.signature.outputs.iter().any(|buffer| buffer.class == Class::Bits);
        self.out.line(format!("const {}<LANES> own(neurons);", if packs { "Warp" } else { "Neurons" }));
        self.out.line("if (own.are_none()) return;");
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
        self.settle(program, names);
        for carried in program.carried.iter().filter(|carried| carried.to.is_some()) {
            let lanes = lanes_of(&carried.slot);
            match &carried.from {
                Some(from) => {
                    self.out.line(format!("real {lanes}[LANES];"));
                    self.out.line(format!("own.load({lanes}, {from}_in, 0);"));
                }
                None => self.out.line(format!("real {lanes}[LANES] = {{}};")),
            }
        }
        if program.variant.template.is_multi_step() {
            self.sequence(program);
        } else {
            self.single_step(program);
        }
        for carried in &program.carried {
            if let Some(to) = &carried.to {
                self.out.line(format!("own.store({to}_out, 0, {});", lanes_of(&carried.slot)));
            }
        }
        self.out.close();
    }

    /// What differs between neurons but not over time.
    fn settle(&mut self, program: &Program, mut names: HashMap<Id, String>) {
        for (slot, buffer) in &program.arrays {
            self.out.line(format!("real {}[LANES];", lanes_of(slot)));
            self.out.line(format!("own.load({}, {buffer}_in);", lanes_of(slot)));
        }
        if program.settled.is_empty() {
            return;
        }
        let list: Vec<String> =
            program.settled.iter().map(|binding| format!("{}_lanes[LANES]", binding.name)).collect();
        self.out.line(format!("real {};", list.join(", ")));
        self.out.open("FOR_LANES(lane) {");
        for slot in program.settled_from(self.graph) {
            self.out.line(format!("const real {} = {}[lane];", slot.local, lanes_of(slot)));
        }
        for binding in &program.settled {
            let value =
                Printer { graph: self.graph, dialect: Dialect::Cuda, names: &names }.definition(binding.expr);
            self.out.line(format!("const real {} = {value};", binding.name));
            self.out.line(format!("{0}_lanes[lane] = {0};", binding.name));
            names.insert(binding.expr, binding.name.clone());
        }
        self.out.close();
    }

    fn single_step(&mut self, program: &Program) {
        self.arrays(program, "LANES");
        for (slot, buffer) in &program.loads {
            self.out.line(format!("own.load({}, {buffer}_in, 0);", lanes_of(slot)));
        }
        self.phases(program);
        for (slot, buffer) in &program.stores {
            self.out.line(format!("own.store({buffer}_out, 0, {});", lanes_of(slot)));
        }
    }

    fn sequence(&mut self, program: &Program) {
        if program.variant.template.is_backward() {
            self.out.open("for (u64 index = blocks_of(steps); index-- > 0;) {");
        } else {
            self.out.open("for (u64 index = 0; index < blocks_of(steps); ++index) {");
        }
        self.out.line("const Block block(index, steps);");
        self.arrays(program, "STEPS][LANES");
        for (slot, buffer) in &program.loads {
            self.out.line(format!("own.load({}, {buffer}_in, block);", block_of(slot)));
        }
        for carried in &program.carried {
            let Some(checkpoints) = &carried.checkpoints else { continue };
            let lanes = lanes_of(&carried.slot);
            if program.variant.template.is_backward() {
                self.out.line(format!("real {lanes}[LANES];"));
                if let Some(from) = &carried.from {
                    self.out.line(format!("if (index == 0) own.load({lanes}, {from}_in, 0);"));
                    self.out.line(format!("else own.load({lanes}, {checkpoints}_in, index - 1);"));
                }
            } else {
                self.out.line(format!("if (index > 0) own.store({checkpoints}_out, index - 1, {lanes});"));
            }
        }
        self.phases(program);
        for (slot, buffer) in &program.stores {
            self.out.line(format!("own.store({buffer}_out, block, {});", block_of(slot)));
        }
        self.out.close();
    }

    /// Declares what is kept of a step or block.
    fn arrays(&mut self, program: &Program, extent: &str) {
        let multi = program.variant.template.is_multi_step();
        let name = |slot: &Slot| if multi { block_of(slot) } else { lanes_of(slot) };
        let mut names: Vec<String> = Vec::new();
        for slot in program.loads.iter().map(|(slot, _)| slot).chain(program.kept()) {
            if !names.contains(&name(slot)) {
                names.push(name(slot));
            }
        }
        let list: Vec<String> = names.iter().map(|name| format!("{name}[{extent}]")).collect();
        self.out.line(format!("real {};", list.join(", ")));
    }

    fn phases(&mut self, program: &Program) {
        let multi = program.variant.template.is_multi_step();
        let place = |slot: &Slot| {
            let is_lanes = !multi || program.is_carried(slot) || program.is_settled(slot);
            if is_lanes {
                format!("{}[lane]", lanes_of(slot))
            } else {
                format!("{}[step][lane]", block_of(slot))
            }
        };
        for phase in &program.phases {
            self.out.open(match (multi, phase.is_backward) {
                (false, _) => "FOR_LANES(lane) {",
                (true, false) => "block.forward([&](int step) { FOR_LANES(lane) {",
                (true, true) => "block.backward([&](int step) { FOR_LANES(lane) {",
            });
            for slot in &phase.reads {
                self.out.line(format!("const real {} = {};", slot.local, place(slot)));
            }
            let printer = Printer { graph: self.graph, dialect: Dialect::Cuda, names: &phase.names };
            for binding in &phase.lets {
                let (sort, value) = (self.sort(binding.expr), printer.definition(binding.expr));
                self.out.line(format!("const {sort} {} = {value};", binding.name));
            }
            for (slot, expr) in &phase.writes {
                self.out.line(format!("{} = {};", place(slot), printer.expr(*expr)));
            }
            if multi {
                self.out.close_with("}});");
            } else {
                self.out.close();
            }
            for (apply, slot) in &phase.apply {
                let values = if multi { format!("{}, block.count", block_of(slot)) } else { lanes_of(slot) };
                self.out.line(format!("gradient.{}({values});", apply.name()));
            }
        }
    }

    fn sort(&self, expr: Id) -> &'static str {
        match self.graph.sort(expr) {
            Sort::Real => "real",
            Sort::Bool => "bool",
        }
    }
}

/// How many blocks of threads a processor has to have registers for, where the compiler would leave room for fewer.
fn bounds(program: &Program) -> &'static str {
    let template = program.variant.template;
    if !program.signature.fits_twice() || !template.is_multi_step() {
        ""
    } else if template == Template::LeanBptt {
        "MORE_BLOCKS "
    } else if template.is_with_grad() || template.is_backward() {
        "TWO_BLOCKS "
    } else {
        ""
    }
}

fn lanes_of(slot: &Slot) -> String {
    format!("{}_lanes", slot.name)
}

fn block_of(slot: &Slot) -> String {
    format!("{}_block", slot.name)
}
