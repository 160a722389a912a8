//! Step programs as Rust.
//!
//! A kernel works on a tile of neurons at a time: time outside, lanes inside, so that every inner loop is a
//! loop over a small array, which the compiler turns into vector instructions. It is written as text, with
//! comments, since that is what people read; the macro parses it.

use std::collections::HashMap;

use crate::emit::equations::Table;
use crate::emit::text::Text;
use crate::gradient::Derived;
use crate::interface::Role;
use crate::ir::{Graph, Id, Node, Quantity};
use crate::kernel::{Phase, Program, Slot, SlotId, Subject};
use crate::print::{Dialect, Printer};
use crate::variant::{self, Class, Extent};

/// One kernel.
pub fn kernel(derived: &Derived, program: &Program) -> String {
    let mut writer = Writer { graph: &derived.model.graph, out: Text::default() };
    writer.header(derived, program);
    writer.signature(program);
    writer.body(program);
    writer.out.text
}

struct Writer<'a> {
    graph: &'a Graph,
    out: Text,
}

impl Writer<'_> {
    fn header(&mut self, derived: &Derived, program: &Program) {
        self.out.line(format!("/// {}.", title(derived, program)));
        self.out.line("///");
        self.out.line("/// ```text");
        for line in equations(derived, program) {
            self.out.line(format!("/// {line}"));
        }
        self.out.line("/// ```");
    }

    fn signature(&mut self, program: &Program) {
        self.out.line("#[inline(always)]");
        self.out.open(format!("pub fn {}<E: Element>(", program.variant.name()));
        self.out.line(match program.params.as_slice() {
            [] => "_: &Params<E::Real>,".to_owned(),
            params => format!("&Params {{ {}, .. }}: &Params<E::Real>,", params.join(", ")),
        });
        if applies(program) {
            self.out.line("gradient: &TileGradient<E::Real>,");
        }
        if program.variant.template.is_multi_step() {
            self.out.line("steps: usize,");
        }
        let rows = |class, rows| match class {
            Class::Signal => format!("{rows}<'_, E>"),
            Class::State => format!("{rows}<'_, E::Real>"),
            Class::Bits => "BitRowsMut<'_>".to_owned(),
        };
        for buffer in &program.signature.inputs {
            let view = if buffer.extent == Extent::Parameter { "Values" } else { "Rows" };
            self.out.line(format!("{}: {},", buffer.name, rows(buffer.class, view)));
        }
        for buffer in &program.signature.outputs {
            self.out.line(format!("mut {}: {},", buffer.name, rows(buffer.class, "RowsMut")));
        }
        self.out.depth -= 1;
        self.out.open(") {");
    }

    fn body(&mut self, program: &Program) {
        // The lines below say whether they need it.
        let prologue = self.out.text.len();
        if program.detaches {
            self.out.line("let detach_reset = gradient.detach_reset();");
        }
        let mut names = program.names.clone();
        for binding in &program.hoisted {
            let value = self.printer(&names).definition(binding.expr);
            self.out.line(format!("let {} = {value};", binding.name));
            names.insert(binding.expr, binding.name.clone());
        }
        self.settle(program, names);
        // What is computed again begins anew with every chunk of steps.
        for carried in program.carried.iter().filter(|carried| carried.to.is_some()) {
            let start = match carried.from {
                Some(from) => format!("{}.load(0)", program.buffer(from)),
                None => "lanes()".to_owned(),
            };
            self.out.line(format!("let mut {} = {start};", program.slot(carried.slot).lanes));
        }
        for slot in program.kept() {
            let names = program.slot(slot);
            if program.outlasts(slot) {
                self.out.line(format!("let mut {} = chunk();", names.chunk));
            } else {
                self.out.line(format!("let mut {} = lanes();", names.lanes));
            }
        }
        if program.turns() {
            self.chunks(program);
        } else {
            self.steps(program);
        }
        for carried in &program.carried {
            if let Some(to) = carried.to {
                let lanes = &program.slot(carried.slot).lanes;
                self.out.line(format!("{}.store(0, &{lanes});", program.buffer(to)));
            }
        }
        self.out.close();
        if self.out.text[prologue..].contains("num(") {
            self.out.text.insert_str(prologue, "    let num = E::Real::from_f64;\n");
        }
    }

    fn printer<'n>(&'n self, names: &'n HashMap<Id, String>) -> Printer<'n> {
        Printer { graph: self.graph, dialect: Dialect::Rust, names }
    }

    /// All steps, in one direction.
    fn steps(&mut self, program: &Program) {
        let template = program.variant.template;
        if !template.is_multi_step() {
            return self.pass(program, template.is_backward(), "0");
        }
        let steps = if template.is_backward() { "(0..steps).rev()" } else { "0..steps" };
        self.out.open(format!("for step in {steps} {{"));
        let kept: Vec<_> =
            program.carried.iter().filter_map(|c| Some((program.slot(c.slot), c.checkpoints?))).collect();
        if !kept.is_empty() {
            self.out.open("if step > 0 && step % STEPS == 0 {");
            for (slot, checkpoints) in kept {
                let checkpoints = program.buffer(checkpoints);
                self.out.line(format!("{checkpoints}.store(step / STEPS - 1, &{});", slot.lanes));
            }
            self.out.close();
        }
        self.pass(program, template.is_backward(), "step");
        self.out.close();
    }

    /// Chunks of steps, the last first: forward through each, then back.
    fn chunks(&mut self, program: &Program) {
        self.out.open("for index in (0..steps.div_ceil(STEPS)).rev() {");
        self.out.line("let chunk = index * STEPS..steps.min((index + 1) * STEPS);");
        for carried in &program.carried {
            let (Some(from), Some(checkpoints)) = (carried.from, carried.checkpoints) else { continue };
            let (from, checkpoints) = (program.buffer(from), program.buffer(checkpoints));
            let load = format!("{checkpoints}.load(index - 1)");
            let lanes = &program.slot(carried.slot).lanes;
            self.out.line(format!("let mut {lanes} = if index == 0 {{ {from}.load(0) }} else {{ {load} }};"));
        }
        for (steps, is_backward) in [("chunk.clone()", false), ("chunk.clone().rev()", true)] {
            self.out.open(format!("for step in {steps} {{"));
            let borrow = if is_backward { "&" } else { "&mut " };
            let used = |slot: &SlotId| program.pass(is_backward).any(|phase| phase.touches(*slot));
            for slot in program.kept().filter(|slot| program.outlasts(*slot)).filter(used) {
                let Slot { lanes, chunk, .. } = program.slot(slot);
                self.out.line(format!("let {lanes} = {borrow}{chunk}[step - chunk.start];"));
            }
            self.pass(program, is_backward, "step");
            self.out.close();
        }
        self.out.close();
    }

    /// One step in one direction.
    fn pass(&mut self, program: &Program, is_backward: bool, step: &str) {
        let reads = |slot: SlotId| program.pass(is_backward).any(|phase| phase.reads.contains(&slot));
        for &(slot, buffer) in program.loads.iter().filter(|(slot, _)| reads(*slot)) {
            let lanes = &program.slot(slot).lanes;
            self.out.line(format!("let {lanes} = {}.load({step});", program.buffer(buffer)));
        }
        for phase in program.pass(is_backward) {
            self.phase(program, phase);
        }
        let touched = |slot: SlotId| program.pass(is_backward).any(|phase| phase.touches(slot));
        for &(slot, buffer) in program.stores.iter().filter(|(slot, _)| touched(*slot)) {
            let lanes = &program.slot(slot).lanes;
            self.out.line(format!("{}.store({step}, &{lanes});", program.buffer(buffer)));
        }
    }

    /// What differs between neurons but not over time.
    fn settle(&mut self, program: &Program, mut names: HashMap<Id, String>) {
        for &(slot, buffer) in &program.arrays {
            let lanes = &program.slot(slot).lanes;
            self.out.line(format!("let {lanes} = {}.load();", program.buffer(buffer)));
        }
        if program.settled.is_empty() {
            return;
        }
        for slot in program.settled.iter().filter_map(|(slot, _)| *slot) {
            self.out.line(format!("let mut {} = lanes();", program.slot(slot).lanes));
        }
        let from = program.settled_from.iter();
        names.extend(from.clone().map(|(leaf, slot)| (*leaf, program.slot(*slot).local.clone())));
        self.out.open("for lane in 0..LANES {");
        self.reads(program, &from.map(|(_, slot)| *slot).collect::<Vec<_>>());
        for (slot, binding) in &program.settled {
            let value = self.printer(&names).definition(binding.expr);
            self.out.line(format!("let {} = {value};", binding.name));
            if let Some(slot) = slot {
                self.out.line(format!("{}[lane] = {};", program.slot(*slot).lanes, binding.name));
            }
            names.insert(binding.expr, binding.name.clone());
        }
        self.out.close();
    }

    fn phase(&mut self, program: &Program, phase: &Phase) {
        let printer = Printer { graph: self.graph, dialect: Dialect::Rust, names: &phase.names };
        self.out.open("for lane in 0..LANES {");
        self.reads(program, &phase.reads);
        for binding in &phase.lets {
            self.assign(&format!("let {}", binding.name), &printer, binding.expr, true);
        }
        for &(slot, expr) in &phase.writes {
            self.assign(&format!("{}[lane]", program.slot(slot).lanes), &printer, expr, false);
        }
        self.out.close();
        for &(apply, slot) in &phase.apply {
            // Of a chunk there is a reference already.
            let borrow = if program.outlasts(slot) { "" } else { "&mut " };
            self.out.line(format!("gradient.{}({borrow}{});", apply.name(), program.slot(slot).lanes));
        }
    }

    /// Gives the values of a lane their names.
    fn reads(&mut self, program: &Program, slots: &[SlotId]) {
        let slots: Vec<&Slot> = slots.iter().map(|slot| program.slot(*slot)).collect();
        let list =
            |f: &dyn Fn(&Slot) -> String| slots.iter().map(|slot| f(slot)).collect::<Vec<_>>().join(", ");
        let (locals, values) = (list(&|s| s.local.clone()), list(&|s| format!("{}[lane]", s.lanes)));
        if slots.len() > 1 && locals.len() + values.len() < 80 {
            self.out.line(format!("let ({locals}) = ({values});"));
        } else {
            for slot in slots {
                self.out.line(format!("let {} = {}[lane];", slot.local, slot.lanes));
            }
        }
    }

    /// `target = expr;`, a long choice over several lines.
    fn assign(&mut self, target: &str, printer: &Printer<'_>, expr: Id, definition: bool) {
        let value = if definition { printer.definition(expr) } else { printer.expr(expr) };
        let is_named = !definition && printer.names.contains_key(&expr);
        match self.graph.node(expr) {
            Node::Select(cond, a, b) if !is_named && target.len() + value.len() > 80 => {
                self.out.open(format!("{target} = if {} {{", printer.expr(cond)));
                self.out.line(printer.expr(a));
                self.out.depth -= 1;
                self.out.open("} else {");
                self.out.line(printer.expr(b));
                self.out.depth -= 1;
                self.out.line("};");
            }
            _ => self.out.line(format!("{target} = {value};")),
        }
    }
}

/// `Lif, hard reset: a sequence of steps`
pub(crate) fn title(derived: &Derived, program: &Program) -> String {
    let name = &derived.model.name;
    let template = variant::title(program.variant.template);
    match (program.variant.reset, program.variant.relaxed) {
        (Some(reset), false) => format!("`{name}`, {} reset: {template}", reset.word()),
        (Some(reset), true) => {
            let word = reset.word();
            format!("`{name}`, {word} reset, relaxed: the surrogate's primitive in place of the spike")
        }
        (None, _) => format!("`{name}`: {template}"),
    }
}

/// The equations above a kernel, aligned.
pub(crate) fn equations(derived: &Derived, program: &Program) -> Vec<String> {
    let template = program.variant.template;
    let above = if program.variant.relaxed { Subject::Charged } else { Subject::Array(Role::Output) };
    let mut table = Table::new(derived, program.equations.iter().map(|(_, expr)| *expr));
    for &(subject, expr) in &program.equations {
        table.row(&subject.name(derived), expr);
        if derived.model.threshold().is_none() {
            continue;
        }
        let distance = table.distance();
        if subject == Subject::Charged && program.variant.relaxed {
            table.text("spike", format!("primitive({distance})"));
        }
        if subject == above && template.takes_gradient() {
            let surrogate = derived.factor(Quantity::Output, Quantity::Charged).expect("the neuron fires");
            table.text(&surrogate.name, format!("surrogate({distance})"));
        }
    }
    let is_sum = |subject: &Subject| matches!(subject, Subject::Array(Role::GradParam(_)));
    let sums = program.equations.iter().filter(|(subject, _)| is_sum(subject));
    let sums: Vec<String> = sums.map(|(subject, _)| subject.name(derived)).collect();
    let rows = table.rows();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let row = |(name, expr): (String, String)| {
        let sign = if sums.contains(&name) { "+=" } else { "=" };
        format!("{name:width$} {sign} {expr}")
    };
    rows.into_iter().map(row).collect()
}

/// Whether the kernel needs the surrogate.
pub(crate) fn applies(program: &Program) -> bool {
    program.detaches || program.phases.iter().any(|phase| !phase.apply.is_empty())
}
