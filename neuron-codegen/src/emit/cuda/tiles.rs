//! The tiles of a thread. Where gradients of parameters are returned, a thread computes several tiles, one after the other, and
//! adds up what it finds: only sums are written.
//!
//! Tiles of a thread are a multiple of each parameter's `count * inner` apart, so that all have the same values of parameters, and
//! the same channels; see `summation` of the runtime.

use super::Writer;
use crate::kernel::{BufferId, Program, Slot};
use crate::schedule::{Form, Sums};

impl Writer<'_> {
    /// Whether the threads of a kernel add up gradients.
    pub(super) fn adds_up(&self, program: &Program) -> bool {
        program.adds_up() && !matches!(self.schedule.form, Form::Groups | Form::Scan)
    }

    /// Declares sums, and opens the loop over tiles.
    pub(super) fn open_tiles(&mut self, program: &Program) {
        if !self.adds_up(program) {
            return;
        }
        let names = sums(program).map(|(slot, _)| slot.sum.as_str()).collect::<Vec<_>>();
        let list = names.join(", ");
        self.out.line(match self.schedule.sums {
            Sums::Registers => format!("GradientSum<LANES, 1> {list};"),
            Sums::Shared => format!("__shared__ GradientSum<LANES, THREADS> {list};"),
        });
        for name in names {
            self.out.line(format!("{name}.clear();"));
        }
        self.out.open("for (; !tile.empty(); tile.first += columns) {");
        // Strides of rows, of each step.
        self.out.line("opaque(tile.count);");
    }

    /// Closes the loop over tiles, and stores sums.
    pub(super) fn close_tiles(&mut self, program: &Program) {
        if !self.adds_up(program) {
            return;
        }
        self.out.close();
        for (Slot { sum, .. }, to) in sums(program) {
            self.out.line(format!("{sum}.store({}, columns, neurons);", program.argument(to)));
        }
    }
}

/// The gradients of parameters, and where they go.
fn sums(program: &Program) -> impl Iterator<Item = (&Slot, BufferId)> {
    let written =
        program.carried.iter().filter_map(|carried| Some((program.slot(carried.slot), carried.to?)));
    written.filter(|&(_, to)| program.is_sum(to))
}
