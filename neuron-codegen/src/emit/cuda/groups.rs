//! Kernels for few neurons: groups of chunks, by warps with different tasks. See [`crate::schedule`].

use super::loops::place;
use super::{Storage, Writer, restart};
use crate::kernel::{Program, SlotId};
use crate::schedule::Form;

impl Writer<'_> {
    /// What each warp does with the groups of a sequence.
    pub(super) fn groups(&mut self, program: &Program) {
        self.out.line("const Groups<CHUNKS> groups(steps);");
        self.out.open("if (groups.takes_steps()) {");
        self.begin(program);
        self.each_group(program);
        self.out.line("__syncthreads();");
        self.steps_of_group(program);
        self.out.line("__syncthreads();");
        self.out.close();
        self.end(program);
        self.out.depth -= 1;
        self.out.open("} else {");
        self.prepare(program);
        self.exchange(program);
        self.out.close();
    }

    /// Opens the loop over groups.
    fn each_group(&mut self, program: &Program) {
        self.out.open(match program.variant.template.is_backward() {
            true => "for (u64 group = groups.count; group-- > 0;) {",
            false => "for (u64 group = 0; group < groups.count; ++group) {",
        });
    }

    /// The steps of a group, which is in shared memory. Forward, values of the next chunk replace those of this one as they are
    /// read: the next step begins as soon as the one before it ends.
    fn steps_of_group(&mut self, program: &Program) {
        let is_backward = program.variant.template.is_backward();
        let phase = program.phases.last().expect("a kernel has phases");
        let name = |id: SlotId| program.slot(id);
        let stored = |id: SlotId| program.is_stored(id);
        let read: Vec<SlotId> = self.staged.iter().copied().filter(|&slot| !stored(slot)).collect();
        if is_backward {
            self.out.open("for (int member = groups.size(group); member-- > 0;) {");
            self.out.line("const Chunk chunk(group * CHUNKS + member, steps);");
            self.out.open("groups.backward(chunk, [&](int step) { FOR_LANES(lane) {");
        } else {
            for slot in read.iter().copied().map(name) {
                self.out.line(format!("acc_t {}[STEPS][LANES];", slot.chunk));
                self.out.line(format!("{}.read(0, {});", slot.stage, slot.chunk));
            }
            self.out.open("for (int member = 0; member < groups.size(group); ++member) {");
            self.out.line("const u64 index = group * CHUNKS + member;");
            self.out.line("const Chunk chunk(index, steps);");
            if !read.is_empty() {
                self.out.line("const int next = member + 1 < CHUNKS ? member + 1 : 0;");
            }
            self.checkpoint(program);
            self.out.open("chunk.forward([&](int step) { FOR_LANES(lane) {");
        }
        let lanes = |id: SlotId| format!("{}[lane]", name(id).lanes);
        let get = |id: SlotId| match read.contains(&id) {
            true if is_backward => format!("{}.get(member, step)", name(id).stage),
            true => format!("{}[step][lane]", name(id).chunk),
            false => lanes(id),
        };
        let set = |id: SlotId, value: &str| match stored(id) {
            true => format!("{}.set(member, step, {value});", name(id).stage),
            false => format!("{} = {value};", lanes(id)),
        };
        self.statements(program, phase, &Storage { get: &get, set: &set });
        if !is_backward {
            for slot in read.iter().copied().map(name) {
                self.out.line(format!("{}[step][lane] = {}.get(next, step);", slot.chunk, slot.stage));
            }
        }
        self.out.close_with("}});");
        self.out.close();
    }

    /// `prepare`, which loads a chunk and computes what depends on no other.
    fn prepare(&mut self, program: &Program) {
        let (_, before) = program.phases.split_last().expect("a kernel has phases");
        let name = |id: SlotId| program.slot(id);
        let loads = program.loads.iter().map(|(slot, _)| *slot);
        let written = before.iter().flat_map(|phase| &phase.writes).map(|(slot, _)| *slot);
        let mut slots: Vec<SlotId> = Vec::new();
        for slot in loads.chain(written).filter(|&slot| !program.is_carried(slot)) {
            if !slots.contains(&slot) {
                slots.push(slot);
            }
        }
        let (outlast, inner): (Vec<_>, Vec<_>) =
            slots.into_iter().partition(|slot| self.staged.contains(slot));
        for slot in outlast {
            self.out.line(format!("acc_t {}[STEPS][LANES] = {{}};", name(slot).chunk));
        }
        self.out.open("const auto prepare = [&](u64 index) {");
        self.out.line("const Chunk chunk(index, steps);");
        for slot in inner {
            self.out.line(format!("acc_t {}[STEPS][LANES] = {{}};", name(slot).chunk));
        }
        for &(slot, buffer) in &program.loads {
            self.out.line(format!("tile.load({}, {}, chunk);", name(slot).chunk, program.argument(buffer)));
        }
        if !before.is_empty() {
            restart(&mut self.out, program);
        }
        for phase in before {
            let place = |id: SlotId| place(Form::Groups, program, id);
            let set = |id: SlotId, value: &str| format!("{} = {value};", place(id));
            self.pass(program, phase, &Storage { get: &place, set: &set });
            for &(_, slot) in &phase.apply {
                // There is time for two at a time while another warp takes the steps, and compilers take a quarter of theirs.
                self.out.line(format!("surrogates::apply<2>(gradient, {}, chunk.count);", name(slot).chunk));
            }
        }
        self.out.close_with("};");
    }

    /// What a warp with a chunk of each group does, in turn with the one that takes the steps: it prepares a group and stores the one
    /// before.
    fn exchange(&mut self, program: &Program) {
        let is_backward = program.variant.template.is_backward();
        self.out.open("for (u64 turn = 0; turn <= groups.count; ++turn) {");
        let (now, before) = match is_backward {
            true => ("groups.count - 1 - turn", "groups.count - turn"),
            false => ("turn", "turn - 1"),
        };
        self.out.line(format!("const u64 index = groups.own({now}), before = groups.own({before});"));
        self.out.line("if (turn < groups.count && groups.has(index)) prepare(index);");
        self.out.open("if (turn > 0) {");
        self.out.line("__syncthreads();");
        self.out.open("if (groups.has(before)) {");
        self.out.line("const Chunk chunk(before, steps);");
        for &(slot, buffer) in &program.stores {
            let slot = program.slot(slot);
            self.out.line(format!("acc_t {}[STEPS][LANES];", slot.chunk));
            self.out.line(format!("{}.read(groups.warp, {});", slot.stage, slot.chunk));
            self.out.line(format!("tile.store({}, chunk, {});", program.argument(buffer), slot.chunk));
        }
        self.out.close();
        self.out.close();
        self.out.open("if (turn < groups.count) {");
        for slot in
            self.staged.iter().filter(|&&slot| !program.is_stored(slot)).map(|&slot| program.slot(slot))
        {
            self.out.line(format!("{}.write(groups.warp, {});", slot.stage, slot.chunk));
        }
        self.out.line("__syncthreads();");
        self.out.close();
        self.out.close();
    }
}
