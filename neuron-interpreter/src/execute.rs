//! Executes instructions on tiles of lanes.

use neuron_runtime::{Element, Kernel, Real, STEPS, Tile};

use crate::code::{Code, Instruction, Op, compute_lanes};
use crate::formula::Values;
use crate::registers::Registers;

/// One kernel, with the values of what is the same for all neurons and steps.
#[derive(Debug)]
pub struct Launch<'c, R> {
    code: Option<&'c Code>,
    /// Those that the first registers have.
    uniform: Vec<R>,
}

impl<'c, R: Real> Launch<'c, R> {
    /// With these values of parameters. Without instructions it computes nothing: a call of a template that the neuron does
    /// not have is refused before.
    pub fn new(code: Option<&'c Code>, values: Values<'_>) -> Self {
        let uniform = |code: &Code| {
            let computed: Vec<R> = code.formulas.evaluate(values);
            code.broadcast.iter().map(|value| computed[value.0 as usize]).collect()
        };
        Self { code, uniform: code.map(uniform).unwrap_or_default() }
    }

    /// The registers before the first tile. Tiles do not change those that are the same for all of them.
    fn registers(&self, code: &Code) -> Registers<R> {
        let mut registers = Registers::new(code.registers);
        for (register, &value) in (0..).zip(&self.uniform) {
            registers.fill(register, value);
        }
        registers
    }
}

impl<E: Element> Kernel<E> for Launch<'_, E::Real> {
    #[inline(always)]
    fn tile(&self, tile: &Tile<'_, E>) {
        if let Some(code) = self.code {
            let mut registers = self.registers(code);
            registers.set_tiles(1);
            execute(&code.instructions, &mut registers, std::slice::from_ref(tile));
        }
    }

    #[inline(always)]
    fn tiles<'w>(&self, mut tiles: impl Iterator<Item = Tile<'w, E>>)
    where
        E: 'w,
    {
        let Some(code) = self.code else { return };
        let mut registers = self.registers(code);
        let mut group = Vec::with_capacity(registers.capacity());
        loop {
            group.extend(tiles.by_ref().take(registers.capacity()));
            if group.is_empty() {
                return;
            }
            registers.set_tiles(group.len());
            execute(&code.instructions, &mut registers, &group);
            group.clear();
        }
    }
}

/// Where execution is: a step, and the chunk that it is in.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    step: usize,
    chunk: usize,
    end: usize,
    checkpoint: usize,
}

/// Executes all instructions on some tiles at once.
#[inline(always)]
fn execute<E: Element>(
    instructions: &[Instruction],
    registers: &mut Registers<E::Real>,
    tiles: &[Tile<'_, E>],
) {
    let Some(first) = tiles.first() else { return };
    let steps = first.steps();
    let mut at = Position::default();
    let mut next = 0;
    loop {
        let instruction = instructions[next];
        let Instruction { op, to, from: [a, b, ..] } = instruction;
        let (output, input, target) = (to as usize, a as usize, to as usize);
        next += 1;
        let row = match b {
            0 => 0,
            1 => at.step,
            _ => at.checkpoint,
        };
        macro_rules! each_tile {
            (|$tile:ident, $number:ident| $work:expr) => {
                for ($number, $tile) in tiles.iter().enumerate() {
                    $work;
                }
            };
        }
        match op {
            Op::LoadSignal => {
                each_tile!(|tile, n| tile.signal(input).load_to(row, tiles.len(), registers.tile(to, n)))
            }
            Op::LoadState => {
                each_tile!(|tile, n| tile.state(input).load_to(row, tiles.len(), registers.tile(to, n)))
            }
            Op::LoadValues => each_tile!(|tile, n| *registers.tile(to, n) = tile.values(input).load()),
            Op::Zero => registers.fill(to, E::Real::ZERO),
            Op::StoreSignal => each_tile!(|tile, n| tile.signal_mut(output).store(row, registers.tile(a, n))),
            Op::StoreState => each_tile!(|tile, n| tile.state_mut(output).store(row, registers.tile(a, n))),
            Op::StoreBits => each_tile!(|tile, n| tile.bits_mut(output).store(row, registers.tile(a, n))),
            Op::Surrogate => each_tile!(|tile, n| tile.gradient().surrogate(registers.tile(to, n))),
            Op::Primitive => each_tile!(|tile, n| tile.gradient().primitive(registers.tile(to, n))),
            Op::Hold => each_tile!(|tile, n| tile.gradient().hold(registers.tile(to, n))),
            Op::LastStep => at.step = steps - 1,
            Op::NextStep => {
                at.step += 1;
                if at.step < steps {
                    next = target;
                }
            }
            Op::PreviousStep => {
                if at.step > 0 {
                    at.step -= 1;
                    next = target;
                }
            }
            Op::UnlessCheckpoint => {
                if at.step > 0 && at.step.is_multiple_of(STEPS) {
                    at.checkpoint = at.step / STEPS - 1;
                } else {
                    next = target;
                }
            }
            Op::LastChunk => at.chunk = steps.div_ceil(STEPS) - 1,
            Op::EnterChunk => {
                at.step = at.chunk * STEPS;
                at.end = steps.min(at.step + STEPS);
                if at.chunk > 0 {
                    at.checkpoint = at.chunk - 1;
                    next = target;
                }
            }
            Op::Jump => next = target,
            Op::NextInChunk => {
                if at.step + 1 == at.end {
                    next = target;
                } else {
                    at.step += 1;
                }
            }
            Op::PreviousInChunk => at.step -= 1,
            Op::PreviousChunk => {
                if at.chunk > 0 {
                    at.chunk -= 1;
                    next = target;
                }
            }
            Op::Stop => return,
            _ => compute_lanes(registers, instruction),
        }
    }
}
