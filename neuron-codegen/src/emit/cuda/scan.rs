//! Kernels that scan a sequence: chunks whose maps are composed by the warps of a block. See [`crate::schedule`].

use super::loops::place;
use super::{Storage, Writer, restart};
use crate::kernel::{Affine, Program, SlotId};
use crate::schedule::Form;

impl Writer<'_> {
    /// The turns of a block's warps, each of which has a chunk of each turn.
    pub(super) fn scan(&mut self, program: &Program) {
        let affine = program.affine.as_ref().expect("what is scanned is affine");
        let is_backward = program.variant.template.is_backward();
        let (last, before) = program.phases.split_last().expect("a kernel has phases");
        let carried: Vec<&str> =
            affine.carried.iter().map(|&slot| program.slot(slot).lanes.as_str()).collect();
        let carried = carried.join(", ");
        self.begin(program);
        self.out.line("const Scan<WARPS> scan(steps);");
        self.out.open("for (u64 turn = 0; turn < scan.turns; ++turn) {");
        self.out.line(format!(
            "const u64 index = scan.{}(turn);",
            if is_backward { "backward" } else { "forward" }
        ));
        self.out.line("const Chunk chunk(index, steps);");
        self.arrays(program, "STEPS][LANES");
        self.out.line(format!("Map<{}> map;", affine.carried.len()));
        self.out.open("if (scan.has(index)) {");
        for &(slot, buffer) in &program.loads {
            let values = &program.slot(slot).chunk;
            self.out.line(format!("tile.load({values}, {}, chunk);", program.argument(buffer)));
        }
        if !before.is_empty() {
            restart(&mut self.out, program);
        }
        let get = |id: SlotId| place(Form::Scan, program, id);
        let set = |id: SlotId, value: &str| format!("{} = {value};", place(Form::Scan, program, id));
        let storage = Storage { get: &get, set: &set };
        for phase in before {
            self.pass(program, phase, &storage);
            for &(_, slot) in &phase.apply {
                self.out.line(format!(
                    "surrogates::apply<2>(gradient, {}, chunk.count);",
                    program.slot(slot).chunk
                ));
            }
        }
        self.map(program, affine);
        self.out.close();
        self.out.line(format!("maps.start(scan, turn, map, {carried});"));
        self.out.open("if (scan.has(index)) {");
        if !is_backward {
            self.checkpoint(program);
        }
        self.pass(program, last, &storage);
        for &(slot, buffer) in &program.stores {
            let values = &program.slot(slot).chunk;
            self.out.line(format!("tile.store({}, chunk, {values});", program.argument(buffer)));
        }
        self.out.close();
        self.out.line(format!("maps.pass_on(scan, turn, {carried});"));
        self.out.close();
        self.totals(program, affine);
        self.out.open("if (scan.is_last()) {");
        self.end(program);
        self.out.close();
    }

    /// The map of a chunk: its offsets are what the steps make of zeros.
    fn map(&mut self, program: &Program, affine: &Affine) {
        let offset = |id: SlotId| affine.carried.iter().position(|&carried| carried == id);
        let offset = |id: SlotId| offset(id).map(|at| format!("map.offsets[{at}]"));
        let place = |id: SlotId| offset(id).unwrap_or_else(|| place(Form::Scan, program, id));
        let set = |id: SlotId, value: &str| format!("{} = {value};", place(id));
        let pass = if affine.phase.is_backward { "backward" } else { "forward" };
        self.out.open(format!("chunk.{pass}([&](int step) {{ FOR_LANES(lane) {{"));
        self.statements(program, &affine.phase, &Storage { get: &place, set: &set });
        let printer = self.printer(&affine.phase.names);
        let row = |row: &Vec<_>| row.iter().map(|&slope| printer.expr(slope)).collect::<Vec<_>>().join(", ");
        let rows: Vec<String> = affine.slopes.iter().map(|slopes| format!("{{{}}}", row(slopes))).collect();
        let rows = rows.join(", ");
        self.out.line(format!("map.multiply({{{rows}}});"));
        self.out.close_with("}});");
    }

    /// Adds up what each warp has summed over its own chunks.
    fn totals(&mut self, program: &Program, affine: &Affine) {
        for carried in program.carried.iter().filter(|carried| carried.to.is_some()) {
            if !affine.carried.contains(&carried.slot) {
                self.out.line(format!("maps.add_up(scan, {});", program.slot(carried.slot).lanes));
            }
        }
    }
}
