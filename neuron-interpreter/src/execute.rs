//! Executes instructions on tiles of lanes.

use neuron_runtime::{Element, Group, Kernel, Real, STEPS, Tile, Tiles};

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
    const ONE_AT_A_TIME: bool = false;

    #[inline(always)]
    fn tile(&self, tile: &Tile<'_, E>) {
        if let Some(code) = self.code {
            let mut registers = self.registers(code);
            registers.set_tiles(1);
            execute(&code.instructions, &mut registers, tile.group());
        }
    }

    #[inline(always)]
    fn tiles(&self, mut tiles: Tiles<'_, E>) {
        let Some(code) = self.code else { return };
        let mut registers = self.registers(code);
        while let Some(group) = tiles.group(registers.capacity()) {
            registers.set_tiles(group.tiles());
            execute(&code.instructions, &mut registers, &group);
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
    tiles: &Group<'_, E>,
) {
    let steps = tiles.steps();
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
        match op {
            Op::LoadSignal => tiles.signal(input).load_tiles(row, registers.tiles(to)),
            Op::LoadState => match tiles.state(input) {
                Ok(rows) => rows.load_tiles(row, registers.tiles(to)),
                Err(number) => registers.tiles(to).fill(*number),
            },
            Op::LoadValues => {
                for (tile, lanes) in registers.tiles(to).iter_mut().enumerate() {
                    *lanes = tiles.values(input, tile).load();
                }
            }
            Op::Zero => registers.fill(to, E::Real::ZERO),
            Op::StoreSignal => tiles.signal_mut(output).store_tiles(row, registers.tiles(a)),
            Op::StoreState => tiles.state_mut(output).store_tiles(row, registers.tiles(a)),
            Op::StoreBits => tiles.bits_mut(output).store_tiles(row, registers.tiles(a)),
            Op::Surrogate => {
                registers.tiles(to).iter_mut().for_each(|lanes| tiles.gradient().surrogate(lanes));
            }
            Op::Primitive => {
                registers.tiles(to).iter_mut().for_each(|lanes| tiles.gradient().primitive(lanes));
            }
            Op::Hold => registers.tiles(to).iter_mut().for_each(|lanes| tiles.gradient().hold(lanes)),
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
