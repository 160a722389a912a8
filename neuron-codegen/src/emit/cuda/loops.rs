//! Loops over steps and lanes: the forms of kernels in which all threads do the same.

use super::{Storage, Writer, restart};
use crate::kernel::{Phase, Program, Slot, SlotId};
use crate::schedule::{Form, Staging};

impl Writer<'_> {
    /// One step, of all lanes.
    pub(super) fn single_step(&mut self, program: &Program) {
        self.begin(program);
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
        self.end(program);
    }

    /// Chunks of steps, each of all lanes.
    pub(super) fn sequence(&mut self, program: &Program) {
        self.begin(program);
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
        self.checkpoint(program);
        self.phases(program);
        for &(slot, buffer) in &program.stores {
            let values = &program.slot(slot).chunk;
            self.out.line(format!("tile.store({}, chunk, {values});", program.argument(buffer)));
        }
        self.out.close();
        self.end(program);
    }

    /// Stores what is carried into a chunk.
    pub(super) fn checkpoint(&mut self, program: &Program) {
        for carried in &program.carried {
            if let Some(checkpoints) = carried.checkpoints {
                let (checkpoints, lanes) = (program.argument(checkpoints), &program.slot(carried.slot).lanes);
                self.out.line(format!("if (index > 0) tile.store({checkpoints}, index - 1, {lanes});"));
            }
        }
    }

    /// Forward through each chunk of steps and back, one lane after the other.
    pub(super) fn turns(&mut self, program: &Program) {
        self.begin(program);
        self.out.open("for (u64 index = chunk_count(steps); index-- > 0;) {");
        self.out.line("const Chunk chunk(index, steps);");
        for &(slot, buffer) in &program.loads {
            let stage = &program.slot(slot).stage;
            self.out.line(format!("{stage}.load({}, tile, chunk);", program.argument(buffer)));
        }
        restart(&mut self.out, program);
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
        self.end(program);
    }

    /// Declares what is kept of a step or chunk. A chunk starts as zeros: otherwise the compiler would have to assume that
    /// values of the previous chunk survive in the steps that this one lacks, and would keep them in registers.
    pub(super) fn arrays(&mut self, program: &Program, extent: &str) {
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
        let staged = self.staged.clone();
        let stage = |id: SlotId| staged.contains(&id).then(|| &program.slot(id).stage);
        let get = |id: SlotId| match stage(id) {
            Some(stage) => format!("{stage}.get(step, lane)"),
            None => place(form, program, id),
        };
        let set = |id: SlotId, value: &str| match stage(id) {
            Some(stage) => format!("{stage}.set(step, lane, {value});"),
            None => format!("{} = {value};", place(form, program, id)),
        };
        for phase in &program.phases {
            self.pass(program, phase, &Storage { get: &get, set: &set });
            for &(_, slot) in &phase.apply {
                let Slot { lanes, chunk, .. } = program.slot(slot);
                let values = match form {
                    Form::Step => format!("{lanes}, LANES"),
                    _ => format!("{chunk}, chunk.count"),
                };
                self.out.line(format!("surrogates::apply(gradient, {values});"));
            }
        }
    }

    /// The statements of a phase, in its loop over steps and lanes.
    pub(super) fn pass(&mut self, program: &Program, phase: &Phase, storage: &Storage<'_>) {
        let pass = if phase.is_backward { "backward" } else { "forward" };
        let (open, close) = match self.schedule.form {
            Form::Step => ("FOR_LANES(lane) {".to_owned(), "}"),
            Form::Chunks | Form::Groups | Form::Scan => {
                (format!("chunk.{pass}([&](int step) {{ FOR_LANES(lane) {{"), "}});")
            }
            Form::Turns => (format!("chunk.{pass}([&](int step) {{"), "});"),
        };
        self.out.open(open);
        self.statements(program, phase, storage);
        self.out.close_with(close);
    }
}

/// Where statements find a slot that is in no stage.
pub(super) fn place(form: Form, program: &Program, id: SlotId) -> String {
    let slot = program.slot(id);
    match form {
        _ if program.is_carried(id) || program.is_settled(id) => format!("{}[lane]", slot.lanes),
        Form::Step => format!("{}[lane]", slot.lanes),
        Form::Chunks | Form::Groups | Form::Scan => format!("{}[step][lane]", slot.chunk),
        Form::Turns => format!("{}[step]", slot.chunk),
    }
}
