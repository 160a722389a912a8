//! Functions of the distance from the threshold: a surrogate's gradient and its primitive.

use std::cell::Cell;

use neuron_runtime::surrogate::MAX_PARAMETERS;
use neuron_runtime::surrogate::generated::Interpret;
use neuron_runtime::{BothReals, Element, LANES, PerFormat, Real};

use crate::code::{Code, compute_lanes};
use crate::formula::Values;
use crate::registers::Registers;
use crate::uniform::Ranges;

/// The functions of a surrogate.
#[derive(Debug)]
pub struct Functions {
    pub gradient: Code,
    pub primitive: Code,
    pub ranges: Ranges,
}

impl Interpret for Functions {
    fn check(&self, values: &[f64; MAX_PARAMETERS]) -> Option<(usize, &'static str)> {
        let mut conditions = self.ranges.check(uniform(values));
        conditions.find(|(_, holds, _)| !holds).map(|(place, _, expected)| (place, expected))
    }

    #[inline(always)]
    fn gradient<R: Real>(&self, values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES]) {
        apply(&self.gradient, values, u);
    }

    #[inline(always)]
    fn primitive<R: Real>(&self, values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES]) {
        apply(&self.primitive, values, u);
    }
}

fn uniform(values: &[f64; MAX_PARAMETERS]) -> Values<'_> {
    Values { params: values, flags: &[], detach_reset: false }
}

/// The registers of a thread. Those that are the same for all lanes keep their values until another function or other
/// parameters need them: a kernel applies one function to many tiles.
#[derive(Debug, Default)]
struct Scratch<R> {
    /// The address of the code, and the bits of the parameters.
    set_for: Option<(usize, [u64; MAX_PARAMETERS])>,
    registers: Registers<R>,
}

/// These for both formats.
struct BothScratches;

impl PerFormat for BothScratches {
    type Of<E: Element> = Cell<Scratch<E>>;
}

thread_local! {
    static SCRATCH: BothReals<BothScratches> =
        const { BothReals { single: Cell::new(Scratch::NEW), double: Cell::new(Scratch::NEW) } };
}

impl<R> Scratch<R> {
    const NEW: Self = Self { set_for: None, registers: Registers::NONE };
}

/// Replaces each of `u` with the value of `code`, which is never freed, there.
#[inline(always)]
fn apply<R: Real>(code: &Code, values: &[f64; MAX_PARAMETERS], u: &mut [R; LANES]) {
    // Taken rather than borrowed: a closure might not be compiled for the instruction set.
    let mut scratch: Scratch<R> = SCRATCH.with(|scratch| R::of(scratch).take());
    let set_for = Some((std::ptr::from_ref(code).addr(), values.map(f64::to_bits)));
    if scratch.set_for != set_for {
        scratch = Scratch { set_for, registers: registers(code, values) };
    }
    let registers = &mut scratch.registers;
    registers.tiles(code.first_slot()).copy_from_slice(std::slice::from_ref(u));
    for &instruction in &code.instructions {
        compute_lanes(registers, instruction);
    }
    u.copy_from_slice(registers.tiles(code.first_slot()).as_flattened());
    SCRATCH.with(|place| R::of(place).set(scratch));
}

/// Registers of one tile, with the values that are the same for all lanes.
#[cold]
fn registers<R: Real>(code: &Code, values: &[f64; MAX_PARAMETERS]) -> Registers<R> {
    let computed: Vec<R> = code.formulas.evaluate(uniform(values));
    let mut registers = Registers::of_tiles(code.registers, 1);
    for (register, value) in (0..).zip(&code.broadcast) {
        registers.fill(register, computed[value.0 as usize]);
    }
    registers
}
