//! The instructions that step programs are compiled to.
//!
//! Those that compute take numbers from registers; conditions are numbers, 0 or 1. A register has a number for each lane
//! of a tile, or only one where formulas over parameters are evaluated: both kinds are executed by what
//! [`operations`] generates from one table.

use neuron_runtime::Real;
use neuron_runtime::generated::{
    abs, atan, cos, erf, exp, expm1, exprel, exprel_slope, floor, ln, log1p, max, min, reciprocal, round,
    sigmoid, sin, sqrt, tanh, trunc,
};

use crate::formula::{Formulas, Value};

use crate::registers::{BLOCK, PER_TILE, Registers};

/// Makes the instruction set of a table of operations.
macro_rules! operations {
    ($($name:ident: |$($operand:ident),+| $value:expr;)*) => {
        /// What an instruction does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = concat!("`", stringify!($value), "`")] $name,)*
            /// A row of an input in the data's format.
            LoadSignal,
            /// A row of an input in the format of the arithmetic.
            LoadState,
            /// The values of a parameter.
            LoadValues,
            /// All lanes 0.
            Zero,
            /// To a row of an output in the data's format.
            StoreSignal,
            /// To a row of an output in the format of the arithmetic.
            StoreState,
            /// To a row of bits.
            StoreBits,
            /// The surrogate gradient.
            Surrogate,
            /// Its primitive.
            Primitive,
            /// The identity, except while differences are taken.
            Hold,
            /// Goes to the last step.
            LastStep,
            /// Goes to the next step and jumps, if there is one.
            NextStep,
            /// Goes to the previous step and jumps, if there is one.
            PreviousStep,
            /// Jumps unless states are saved before this step.
            UnlessCheckpoint,
            /// Goes to the last chunk.
            LastChunk,
            /// Goes to the first step of the chunk, and jumps unless it is the first chunk.
            EnterChunk,
            /// Jumps.
            Jump,
            /// Goes to the next step of the chunk, or jumps if there is none.
            NextInChunk,
            /// Goes to the previous step of the chunk, which there is.
            PreviousInChunk,
            /// Goes to the previous chunk and jumps, if there is one.
            PreviousChunk,
            /// The end.
            Stop,
        }

        /// The result of an operation that computes.
        #[inline(always)]
        pub fn compute<R: Real>(op: Op, operands: [R; 4]) -> R {
            match op {
                $(Op::$name => {
                    let [$($operand,)+ ..] = operands;
                    $value
                })*
                _ => unreachable!("it computes nothing"),
            }
        }

        /// An operation that computes, on all lanes of some tiles.
        #[inline(always)]
        pub fn compute_lanes<R: Real>(registers: &mut Registers<R>, Instruction { op, to, from }: Instruction) {
            match op {
                $(Op::$name => {
                    let blocks = registers.blocks();
                    let [$($operand,)+ ..] = from;
                    $(let $operand = blocks.of($operand);)+
                    let results = blocks.of(to);
                    for tile in 0..results.len() {
                        $(let $operand = &$operand[tile];)+
                        let results = &results[tile];
                        for block in 0..PER_TILE {
                            $(let $operand = $operand[block].get();)+
                            let mut result = [R::ZERO; BLOCK];
                            for lane in 0..BLOCK {
                                $(let $operand = $operand[lane];)+
                                result[lane] = $value;
                            }
                            results[block].set(result);
                        }
                    }
                })*
                _ => unreachable!("it computes nothing"),
            }
        }
    };
}

impl Op {
    /// The operation that computes `self` of its first operands and passes the result to `then` as operand `place`; it takes
    /// the other operands of `then` after these.
    pub fn fused(self, then: Self, place: usize) -> Option<Self> {
        use Op::{
            Add, AddAdd, AddMul, AddMulAdd, AddSub, AddSubFrom, Less, LessEqual, Mul, MulAdd, MulAddAdd,
            MulAddMul, MulAddMuls, MulMul, MulMulAdd, MulSub, MulSubFrom, Select, SelectLess,
            SelectLessEqual, Sub, SubAdd, SubMul, SubMulAdd, SubMulSubFrom, SubSub, SubSubFrom,
        };
        Some(match (self, then, place) {
            (Add, Add, _) => AddAdd,
            (Add, Sub, 0) => AddSub,
            (Add, Sub, _) => AddSubFrom,
            (Add, Mul, _) => AddMul,
            (Sub, Add, _) => SubAdd,
            (Sub, Sub, 0) => SubSub,
            (Sub, Sub, _) => SubSubFrom,
            (Sub, Mul, _) => SubMul,
            (Mul, Add, _) => MulAdd,
            (Mul, Sub, 0) => MulSub,
            (Mul, Sub, _) => MulSubFrom,
            (Mul, Mul, _) => MulMul,
            (SubMul, Add, _) => SubMulAdd,
            (SubMul, Sub, 1) => SubMulSubFrom,
            (AddMul, Add, _) => AddMulAdd,
            (MulMul, Add, _) => MulMulAdd,
            (MulAdd, Add, _) => MulAddAdd,
            (MulAdd, Mul, _) => MulAddMul,
            (Mul, MulAdd, 2) => MulAddMuls,
            (Less, Select, 0) => SelectLess,
            (LessEqual, Select, 0) => SelectLessEqual,
            _ => return None,
        })
    }
}

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// The register that it writes; of a store, the output; of a jump, the instruction that it goes to.
    pub to: u32,
    /// The registers that it reads. Of a load, the input and the [`Row`]; of a store, a register and the row.
    pub from: [u32; 4],
}

/// What one kernel does.
#[derive(Clone, Debug)]
pub struct Code {
    /// In order; the last is [`Op::Stop`].
    pub instructions: Vec<Instruction>,
    /// How many registers they use.
    pub registers: usize,
    /// What is the same for all neurons and steps.
    pub formulas: Formulas,
    /// The values that the first registers have, in all lanes.
    pub broadcast: Vec<Value>,
}

impl Code {
    /// The register of the first slot.
    #[inline(always)]
    pub fn first_slot(&self) -> u32 {
        self.broadcast.len() as u32
    }
}

/// Which row of an array is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Row {
    /// The first.
    First,
    /// That of the step.
    Step,
    /// That of the checkpoint.
    Checkpoint,
}

/// A condition as a number.
#[inline(always)]
fn condition<R: Real>(holds: bool) -> R {
    if holds { R::ONE } else { R::ZERO }
}

/// Whether the condition `a` holds.
#[inline(always)]
fn holds<R: Real>(a: R) -> bool {
    a != R::ZERO
}

operations! {
    Copy: |a| a;
    Neg: |a| -a;
    Not: |a| R::ONE - a;
    Reciprocal: |a| reciprocal(a);
    Exp: |a| exp(a);
    Ln: |a| ln(a);
    Expm1: |a| expm1(a);
    Log1p: |a| log1p(a);
    Exprel: |a| exprel(a);
    ExprelSlope: |a| exprel_slope(a);
    Sqrt: |a| sqrt(a);
    Tanh: |a| tanh(a);
    Sigmoid: |a| sigmoid(a);
    Abs: |a| abs(a);
    Atan: |a| atan(a);
    Erf: |a| erf(a);
    Sin: |a| sin(a);
    Cos: |a| cos(a);
    Round: |a| round(a);
    Floor: |a| floor(a);
    Trunc: |a| trunc(a);
    Add: |a, b| a + b;
    Sub: |a, b| a - b;
    Mul: |a, b| a * b;
    Div: |a, b| a / b;
    Min: |a, b| min(a, b);
    Max: |a, b| max(a, b);
    Less: |a, b| condition(a < b);
    LessEqual: |a, b| condition(a <= b);
    Equal: |a, b| condition(a == b);
    NotEqual: |a, b| condition(a != b);
    And: |a, b| condition(holds(a) && holds(b));
    Or: |a, b| condition(holds(a) || holds(b));
    Select: |a, b, c| if holds(a) { b } else { c };
    // Several operations in one instruction: each is rounded by itself.
    AddAdd: |a, b, c| (a + b) + c;
    AddSub: |a, b, c| (a + b) - c;
    AddMul: |a, b, c| (a + b) * c;
    AddSubFrom: |a, b, c| c - (a + b);
    SubAdd: |a, b, c| (a - b) + c;
    SubSub: |a, b, c| (a - b) - c;
    SubMul: |a, b, c| (a - b) * c;
    SubSubFrom: |a, b, c| c - (a - b);
    MulAdd: |a, b, c| (a * b) + c;
    MulSub: |a, b, c| (a * b) - c;
    MulMul: |a, b, c| (a * b) * c;
    MulSubFrom: |a, b, c| c - (a * b);
    SubMulAdd: |a, b, c, d| (a - b) * c + d;
    SubMulSubFrom: |a, b, c, d| d - (a - b) * c;
    AddMulAdd: |a, b, c, d| (a + b) * c + d;
    MulMulAdd: |a, b, c, d| a * b * c + d;
    MulAddAdd: |a, b, c, d| a * b + c + d;
    MulAddMul: |a, b, c, d| (a * b + c) * d;
    MulAddMuls: |a, b, c, d| a * b + c * d;
    SelectLess: |a, b, c, d| if a < b { c } else { d };
    SelectLessEqual: |a, b, c, d| if a <= b { c } else { d };
}
