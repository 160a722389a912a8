//! Kernels that scan a sequence over time, for few neurons whose step is affine in the states.
//!
//! Such steps compose: a chunk of them, too, takes the states before it to multiples of these and something else. What it does to
//! them, its map, can be computed before they are known. A block computes as many neurons as a warp has threads, and in each turn
//! each of its warps has a chunk: it computes its map, applies those of the chunks before it, and then takes its steps. What
//! remains to be done one after the other are applications of maps, one a chunk.

use neuron_abi::{Format, WORD};

use super::{Blocks, Form, Schedule, Staging, Sums, Target, Width};
use crate::kernel::Program;

/// Warps of a block that scans: half as many in float64 as in float32, since maps take twice the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warps {
    /// 16 in float32.
    Whole,
    /// Half of that, where maps are large.
    Half,
}

impl Warps {
    /// How many in CUDA C++.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "WARPS_PER_SCAN",
            Self::Half => "WARPS_PER_HALF_SCAN",
        }
    }

    /// Threads of a block in CUDA C++.
    pub fn threads(self) -> &'static str {
        match self {
            Self::Whole => "THREADS_PER_SCAN",
            Self::Half => "THREADS_PER_HALF_SCAN",
        }
    }

    /// How many, in arithmetic of numbers of `format`.
    pub fn count(self, format: Format) -> usize {
        match self {
            Self::Whole => 64 / real(format),
            Self::Half => 32 / real(format),
        }
    }

    /// Bytes of shared memory for maps of so many states: those of two turns, and the states between these.
    pub fn bytes(self, states: usize, format: Format) -> usize {
        let map = (states + 1) * states;
        2 * (self.count(format) * map + states) * WORD * real(format)
    }
}

/// Bytes of a number in arithmetic.
fn real(format: Format) -> usize {
    if format == Format::F64 { size_of::<f64>() } else { size_of::<f32>() }
}

impl Schedule {
    /// Of the kernel that scans a sequence; `None` if there is none.
    pub fn scan(program: &Program, target: Target) -> Option<Self> {
        // A program with an affine step has one for few neurons, whose last phase alone takes the steps.
        Self::few(program, target)?;
        let states = program.affine.as_ref()?.carried.len();
        if states > STATES {
            return None;
        }
        let fits = |warps: &Warps| {
            Format::ALL.into_iter().all(|format| warps.bytes(states, format) <= target.shared)
        };
        let warps = [Warps::Whole, Warps::Half].into_iter().find(fits)?;
        let staging = Staging::Maps(warps);
        Some(Self {
            form: Form::Scan,
            width: Width::One,
            blocks: Blocks::Any,
            staging,
            sums: Sums::Registers,
        })
    }
}

/// States up to which a scan may pay: a map has as many slopes as the square of their number, and a step more takes as many products as
/// its cube.
const STATES: usize = 3;
