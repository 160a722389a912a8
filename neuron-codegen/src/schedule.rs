//! How a kernel uses a GPU: neurons a thread, steps in flight, where arrays wait, blocks a processor.
//!
//! Decided here, from what a template reads and writes; printers print what they are told, and the runtime finds the
//! number of lanes in the signature. `tests/snapshots/schedule.snap` has the schedule of every kernel of every neuron.

mod few;
mod scan;

use neuron_abi::{Format, Lanes, Role, STEPS, THREADS, WORD};

use crate::kernel::{Program, SlotId};
use crate::variant::{Buffer, Extent, Signature, Template};

pub use scan::Warps;

/// What a GPU has for a thread, as far as schedules depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Registers for what the neurons of a thread have in flight of each array, and for what stays for all steps.
    pub registers: usize,
    /// Bytes of shared memory that a block of threads may have.
    pub shared: usize,
}

impl Target {
    /// Every GPU that kernels are compiled for: 48 KiB of shared memory need no opt-in.
    pub const CUDA: Self = Self { registers: 88, shared: 48 << 10 };
}

/// How a kernel goes through steps and lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One step, of all lanes.
    Step,
    /// Chunks of steps, each of all lanes.
    Chunks,
    /// Chunks of steps, one lane after the other: forward through a chunk and back.
    Turns,
    /// Groups of chunks, by warps with different tasks: one takes the steps, each of the others has a chunk.
    Groups,
    /// Chunks of steps, several at once, each by a warp that composes what the others make of the states.
    Scan,
}

/// Neurons that a thread computes; how many that are depends on the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// One.
    One,
    /// Two, all that they need being in registers; one in float64.
    Pair,
    /// As many as move eight bytes at once.
    Wide,
    /// One at a time, and as many as move four bytes at once.
    Turns,
}

impl Width {
    /// Its name in CUDA C++.
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Pair => "LANES_UP_TO_2",
            Self::Wide => "LANES_PER_8_BYTES",
            Self::Turns => "LANES_PER_4_BYTES",
        }
    }

    /// How many neurons in each format.
    pub fn lanes(self) -> Lanes {
        let [double, single, half] = match self {
            Self::One => [1, 1, 1],
            Self::Pair => [1, 2, 2],
            Self::Wide => [1, 2, 4],
            Self::Turns => [1, 1, 2],
        };
        Lanes { double, single, half }
    }
}

/// Blocks of threads that a processor has to have registers for at once, where the compiler would leave room for fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocks {
    /// As many as the compiler leaves room for.
    Any,
    /// What a kernel needs at least to hide the time that memory takes.
    Two,
    /// For a kernel that computes so much between its loads and its stores that one block loads while another computes, and which
    /// computes several tiles: three in float32, where stages are in registers, else four.
    ThreeOrFour,
    /// For such a kernel that computes one tile.
    Four,
}

impl Blocks {
    /// The bounds of the launch in CUDA C++; empty if there are none.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Two => "MIN_2_BLOCKS_PER_SM",
            Self::ThreeOrFour => "MIN_3_OR_4_BLOCKS_PER_SM",
            Self::Four => "MIN_4_BLOCKS_PER_SM",
        }
    }

    /// How many, if that is said to the compiler. In float64 it is not: values take two registers each.
    pub fn count(self, format: Format) -> Option<usize> {
        match (self, format) {
            (Self::Any, _) | (_, Format::F64) => None,
            (Self::Two, _) => Some(2),
            (Self::ThreeOrFour, Format::F32) => Some(3),
            (Self::ThreeOrFour | Self::Four, _) => Some(4),
        }
    }
}

/// Where the arrays of a chunk wait for their lanes' turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staging {
    /// Nowhere: lanes do not take turns.
    None,
    /// In the registers of a thread, which has one lane.
    Registers,
    /// In shared memory, in formats with more than one lane.
    Shared,
    /// In shared memory: those of all chunks of a group.
    Group(Group),
    /// In the registers of a thread, which has one lane; in shared memory is what chunks make of the states before them.
    Maps(Warps),
}

/// Where a thread keeps its sums of gradients of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// In registers.
    Registers,
    /// In shared memory: they last longer than everything else, and would be spilled.
    Shared,
}

/// Chunks of a group. As many as take [`Group::bytes`] of each array, which is half as many in float64 as in float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Enough for the loads of a group to be hidden behind the steps of another.
    Whole,
    /// Half of that, where there are many arrays.
    Half,
}

impl Group {
    /// How many in CUDA C++.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "CHUNKS_PER_GROUP",
            Self::Half => "CHUNKS_PER_HALF_GROUP",
        }
    }

    /// Threads of a block in CUDA C++.
    pub fn threads(self) -> &'static str {
        match self {
            Self::Whole => "THREADS_PER_GROUP",
            Self::Half => "THREADS_PER_HALF_GROUP",
        }
    }

    /// Bytes of each array in shared memory.
    pub fn bytes(self) -> usize {
        match self {
            Self::Whole => 8 << 10,
            Self::Half => 4 << 10,
        }
    }

    /// How many, in arithmetic of numbers of `format`.
    pub fn chunks(self, format: Format) -> usize {
        let real = if format == Format::F64 { size_of::<f64>() } else { size_of::<f32>() };
        self.bytes() / (STEPS * WORD * real)
    }
}

/// How a kernel uses a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How it goes through steps and lanes.
    pub form: Form,
    /// Neurons that a thread computes.
    pub width: Width,
    /// Blocks of threads that a processor has registers for.
    pub blocks: Blocks,
    /// Where arrays wait for their lanes' turns.
    pub staging: Staging,
    /// Where threads keep what they add up of gradients of parameters.
    pub sums: Sums,
}

impl Schedule {
    /// Of the kernels that take the arrays of `signature`. The reset mode makes no difference.
    pub fn of(signature: &Signature, target: Target) -> Self {
        let template = signature.template;
        let form = match template {
            Template::LeanBptt => Form::Turns,
            template if template.is_multi_step() => Form::Chunks,
            _ => Form::Step,
        };
        let fits = |neurons: usize| neurons * registers(signature) <= target.registers;
        let width = match template {
            // Steps that are computed twice have so much between loads and stores that more threads are worth more.
            Template::LeanBptt if staged_bytes(signature) <= target.shared => Width::Turns,
            Template::LeanBptt => Width::One,
            Template::Fptt | Template::LeanFptt if fits(4) => Width::Wide,
            _ if fits(2) => Width::Pair,
            _ => Width::One,
        };
        let blocks = match form {
            Form::Turns if turn_registers(signature) <= TURN && 4 * staged_bytes(signature) <= PROCESSOR => {
                if signature.sums().next().is_some() {
                    Blocks::ThreeOrFour
                } else {
                    Blocks::Four
                }
            }
            Form::Turns if fits(2) => Blocks::Two,
            Form::Chunks if fits(2) && (template.is_with_grad() || template.is_backward()) => Blocks::Two,
            _ => Blocks::Any,
        };
        let staging = match (form, width) {
            (Form::Turns, Width::Turns) => Staging::Shared,
            (Form::Turns, _) => Staging::Registers,
            _ => Staging::None,
        };
        let staged = if width == Width::Turns { staged_bytes(signature) } else { 0 };
        let fit = staged + sum_bytes(signature) <= target.shared;
        let sums = if form == Form::Turns && fit { Sums::Shared } else { Sums::Registers };
        Self { form, width, blocks, staging, sums }
    }

    /// Steps of which a thread has the loads under way together.
    pub fn steps(&self) -> usize {
        if self.form == Form::Step { 1 } else { STEPS }
    }

    /// What waits in stages, in the order of loads and stores.
    pub fn staged(&self, program: &Program) -> Vec<SlotId> {
        match self.staging {
            Staging::None => Vec::new(),
            Staging::Group(_) => program.around_last_phase(),
            Staging::Maps(_) => Vec::new(),
            _ => program.loads.iter().chain(&program.stores).map(|(slot, _)| *slot).collect(),
        }
    }

    /// Bytes of shared memory that a block of threads takes for so many staged arrays, or for maps of so many states.
    pub fn shared_bytes(&self, arrays: usize, format: Format) -> usize {
        let lanes = self.width.lanes().of(format);
        match self.staging {
            Staging::Group(group) => arrays * group.bytes(),
            Staging::Maps(warps) => warps.bytes(arrays, format),
            Staging::Shared if lanes > 1 => arrays * STAGE * format.size() * lanes,
            _ => 0,
        }
    }

    /// Bytes of shared memory that it takes for sums of the gradients of so many parameters.
    pub fn sum_bytes(&self, parameters: usize, format: Format) -> usize {
        let lanes = self.width.lanes().of(format);
        if self.sums == Sums::Shared { parameters * lanes * SUM } else { 0 }
    }
}

/// Elements of a chunk of steps that the threads of a block have of an array, a lane each.
const STAGE: usize = STEPS * THREADS;

/// Bytes of the sums that the threads of a block have of a parameter's gradients, a lane each.
const SUM: usize = THREADS * size_of::<f64>();

/// Bytes that are copied to shared memory at once, of each step and thread.
const COPIED: usize = 4;

/// Registers for what a neuron has in flight of each array, and for what stays for all steps.
fn registers(signature: &Signature) -> usize {
    let registers = |extent| match extent {
        Extent::Step => STEPS,
        Extent::Neuron | Extent::Parameter => 1,
        Extent::Checkpoint => 0,
    };
    signature.buffers().map(|buffer| registers(buffer.extent)).sum()
}

/// Bytes of shared memory that a processor has for all its blocks, on the GPUs that have the least.
const PROCESSOR: usize = 100 << 10;

/// Registers for what a turn needs besides addresses and intermediate values: states before each of its steps, what becomes of them
/// and the surrogate's argument; and for each lane, states, their gradients, and parameters with theirs.
fn turn_registers(signature: &Signature) -> usize {
    let count = |is_one: fn(&Buffer) -> bool| signature.buffers().filter(|buffer| is_one(buffer)).count();
    let states = count(|buffer| matches!(buffer.role, Role::State(_)));
    let parameters = count(|buffer| buffer.extent == Extent::Parameter);
    STEPS * (states + 2) + 2 * (2 * states + parameters)
}

/// How many of [`turn_registers`] leave room for the rest among the 64 that each thread of four blocks has. Neurons of three states
/// spill some of them.
const TURN: usize = 44;

/// Bytes of shared memory for what threads of up to two lanes add up of gradients of parameters.
fn sum_bytes(signature: &Signature) -> usize {
    signature.sums().count() * 2 * SUM
}

/// Bytes of shared memory for the arrays that have a value for every step.
fn staged_bytes(signature: &Signature) -> usize {
    signature.buffers().filter(|buffer| buffer.extent == Extent::Step).count() * STAGE * COPIED
}
