//! Support code in CUDA C++: in parts, of which a source contains those that its kernels use.

use std::collections::BTreeSet;
use std::fmt::Write;

use neuron_abi::{Format, STEPS, SUM_PARAMETERS, SUM_ROWS, SUM_SEGMENT, SURROGATE_PARAMETERS, THREADS, WORD};

use crate::ir::{Func, Graph, Id, Node};
use crate::schedule::{Blocks, Width};

/// Defines [`Part`] from its table: the text of each part, and the parts that this uses.
macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident = $text:expr, needs [$($need:ident),*];)*) => {
        /// A part of the support code. The order is that of sources: a part comes after those that it needs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Part {
            $($(#[$doc])* $part,)*
        }

        impl Part {
            /// Every part, in order.
            pub const ALL: &[Self] = &[$(Self::$part),*];

            /// Its text.
            pub(crate) fn text(self) -> String {
                match self {
                    $(Self::$part => String::from($text),)*
                }
            }

            /// The parts that its text uses.
            fn needs(self) -> &'static [Self] {
                match self {
                    $(Self::$part => &[$(Self::$need),*],)*
                }
            }
        }
    };
}

parts! {
    /// Number formats in memory and in arithmetic.
    Formats = include_str!("support/formats.cu"), needs [];
    /// `STEPS`.
    Steps = constant("STEPS", STEPS), needs [];
    /// `THREADS`.
    Threads = constant("THREADS", THREADS), needs [];
    /// `WORD`.
    Word = constant("WORD", WORD), needs [];
    /// `SURROGATE_PARAMETERS`.
    SurrogateParameters = constant("SURROGATE_PARAMETERS", SURROGATE_PARAMETERS), needs [];
    /// `SUM_ROWS`.
    SumRows = constant("SUM_ROWS", SUM_ROWS), needs [];
    /// `SUM_PARAMETERS`.
    SumParameters = constant("SUM_PARAMETERS", SUM_PARAMETERS), needs [];
    /// `SUM_SEGMENT`.
    SumSegment = constant("SUM_SEGMENT", SUM_SEGMENT), needs [];
    /// Two lanes where registers allow.
    LanesUpTo2 = lanes(Width::Pair), needs [Formats];
    /// As many lanes as move eight bytes at once.
    LanesPer8Bytes = lanes(Width::Wide), needs [Formats];
    /// As many lanes as move four bytes at once.
    LanesPer4Bytes = lanes(Width::Turns), needs [Formats];
    /// The launch bounds of kernels of which a processor has to hold two blocks.
    Min2Blocks = bounds(Blocks::Two), needs [Threads];
    /// The launch bounds of kernels of which a processor has to hold three blocks in float32, else four.
    Min3Or4Blocks = bounds(Blocks::ThreeOrFour), needs [Threads];
    /// The launch bounds of kernels of which a processor has to hold four blocks.
    Min4Blocks = bounds(Blocks::Four), needs [Threads];
    /// The index of a thread, loops over its lanes.
    Lanes = include_str!("support/lanes.cu"), needs [Formats];
    /// Chunks of steps.
    Chunk = include_str!("support/chunk.cu"), needs [Formats, Steps, Lanes];
    /// The neurons of a thread.
    Tile = include_str!("support/tile.cu"), needs [Formats, Steps, Lanes, Chunk];
    /// Arrays that a call may leave out.
    Optional = include_str!("support/optional.cu"), needs [Formats, Lanes];
    /// Gradients of parameters, added up by each thread.
    GradientSum = include_str!("support/gradient_sum.cu"), needs [Formats, Lanes, Tile];
    /// Chunks of arrays in shared memory.
    Stage = include_str!("support/stage.cu"), needs [Formats, Steps, Threads, Lanes, Chunk, Tile];
    /// Groups of chunks, for few neurons.
    Groups = include_str!("support/groups.cu"), needs [Formats, Steps, Word, Lanes, Chunk];
    /// Scans over time.
    Scan = include_str!("support/scan.cu"), needs [Formats, Word, Lanes, Chunk];
    /// Spikes as bits.
    Words = include_str!("support/words.cu"), needs [Formats, Word];
    /// The neurons of a thread whose warp writes words.
    WarpTile = include_str!("support/warp_tile.cu"), needs [Formats, Steps, Word, Lanes, Chunk, Words];
    /// Parameters that may differ between neurons.
    ParamArray = include_str!("support/param_array.cu"), needs [Formats, Lanes, Tile];
    /// `math::min`.
    Min = include_str!("support/math/min.cu"), needs [Formats];
    /// `math::max`.
    Max = include_str!("support/math/max.cu"), needs [Formats];
    /// `math::bounded`.
    Bounded = include_str!("support/math/bounded.cu"), needs [Formats];
    /// `math::reciprocal`.
    Reciprocal = include_str!("support/math/reciprocal.cu"), needs [Formats];
    /// `math::abs`.
    Abs = include_str!("support/math/abs.cu"), needs [Formats];
    /// `math::sqrt`.
    Sqrt = include_str!("support/math/sqrt.cu"), needs [Formats];
    /// `math::round`.
    Round = include_str!("support/math/round.cu"), needs [Formats];
    /// `math::floor`.
    Floor = include_str!("support/math/floor.cu"), needs [Formats];
    /// `math::trunc`.
    Trunc = include_str!("support/math/trunc.cu"), needs [Formats];
    /// Powers of two.
    PowerOfTwo = include_str!("support/math/power_of_two.cu"), needs [Formats];
    /// What exponentials share.
    Exponent = include_str!("support/math/exponent.cu"), needs [Formats, Bounded, PowerOfTwo];
    /// `math::exp`.
    Exp = include_str!("support/math/exp.cu"), needs [Formats, Exponent];
    /// `math::expm1`.
    Expm1 = include_str!("support/math/expm1.cu"), needs [Formats, Exponent];
    /// `math::exprel`.
    Exprel = include_str!("support/math/exprel.cu"), needs [Formats, Reciprocal, Exponent];
    /// `math::exprel_slope`.
    ExprelSlope = include_str!("support/math/exprel_slope.cu"), needs [Formats, Reciprocal, Abs, Exponent];
    /// What logarithms share.
    Logarithm = include_str!("support/math/logarithm.cu"), needs [Formats];
    /// `math::ln`.
    Ln = include_str!("support/math/ln.cu"), needs [Formats, Logarithm];
    /// `math::log1p`.
    Log1p = include_str!("support/math/log1p.cu"), needs [Formats, PowerOfTwo, Logarithm];
    /// `math::tanh`.
    Tanh = include_str!("support/math/tanh.cu"), needs [Formats, Reciprocal, Abs, Exp];
    /// `math::atan`.
    Atan = include_str!("support/math/atan.cu"), needs [Formats, Reciprocal, Abs];
    /// `math::erf`.
    Erf = include_str!("support/math/erf.cu"), needs [Formats, Reciprocal, Abs, Exp];
    /// What `math::sin` and `math::cos` share.
    Reduced = include_str!("support/math/reduced.cu"), needs [Formats, Bounded];
    /// `math::sin`.
    Sin = include_str!("support/math/sin.cu"), needs [Formats, Reduced];
    /// `math::cos`.
    Cos = include_str!("support/math/cos.cu"), needs [Formats, Reduced];
    /// `math::sigmoid`.
    Sigmoid = include_str!("support/math/sigmoid.cu"), needs [Formats, Reciprocal, Abs, Exp];
    /// How spikes are differentiated.
    SurrogateGradient = include_str!("support/surrogate_gradient.cu"), needs [Formats, SurrogateParameters];
    /// The built-in surrogates.
    Surrogates = include_str!("support/surrogates.cu"), needs [Formats, Reciprocal, Abs, Exp, Log1p, Cos];
    /// The choice among them.
    Apply = include_str!("support/apply.cu"), needs [Formats, Steps, SurrogateParameters, Lanes, Chunk, Bounded, SurrogateGradient, Surrogates];
    /// Kernels that pack spikes and unpack them.
    Pack = include_str!("support/pack.cu"), needs [Formats, Lanes, Words];
    /// Kernels that add up gradients over neurons.
    Sums = include_str!("support/sums.cu"), needs [Formats, Threads, SumRows, SumParameters, SumSegment, Lanes];
}

use Part::*;

impl Part {
    /// Whether it is in the namespace `math`.
    pub(crate) fn is_math(self) -> bool {
        (Min..=Sigmoid).contains(&self)
    }

    /// Whether it consists of kernels, which are named after the neuron.
    fn is_kernels(self) -> bool {
        matches!(self, Pack | Sums)
    }

    /// What the lanes of a kernel are called by, if they have a name.
    pub(super) fn of_width(width: Width) -> Option<Self> {
        match width {
            Width::One => None,
            Width::Pair => Some(LanesUpTo2),
            Width::Wide => Some(LanesPer8Bytes),
            Width::Turns => Some(LanesPer4Bytes),
        }
    }

    /// What the launch bounds of a kernel are called by, if it has any.
    pub(super) fn of_blocks(blocks: Blocks) -> Option<Self> {
        match blocks {
            Blocks::Any => None,
            Blocks::Two => Some(Min2Blocks),
            Blocks::ThreeOrFour => Some(Min3Or4Blocks),
            Blocks::Four => Some(Min4Blocks),
        }
    }

    /// The function that computes a node, if it takes one.
    fn of_node(g: &Graph, id: Id) -> Option<Self> {
        Some(match g.node(id) {
            Node::Min(..) => Min,
            Node::Max(..) => Max,
            Node::Div(..) => g.inverted(id).map(|_| Reciprocal)?,
            Node::Call(func, _) => match func {
                Func::Exp => Exp,
                Func::Ln => Ln,
                Func::Expm1 => Expm1,
                Func::Log1p => Log1p,
                Func::Exprel => Exprel,
                Func::ExprelSlope => ExprelSlope,
                Func::Sqrt => Sqrt,
                Func::Tanh => Tanh,
                Func::Sigmoid => Sigmoid,
                Func::Abs => Abs,
                Func::Atan => Atan,
                Func::Erf => Erf,
                Func::Sin => Sin,
                Func::Cos => Cos,
                Func::Round => Round,
                Func::Floor => Floor,
                Func::Trunc => Trunc,
            },
            _ => return None,
        })
    }
}

/// `#define STEPS 8`: a variable would be emitted as data of each image.
fn constant(name: &str, value: usize) -> String {
    format!("#define {name} {value}\n")
}

/// How many lanes those of a width are, by the size of the data.
fn lanes(width: Width) -> String {
    let [double, single, half] =
        [Format::F64, Format::F32, Format::F16].map(|format| width.lanes().of(format));
    let (name, size) = (width.name(), "sizeof(scalar_t)");
    format!("#define {name} ({size} == 8 ? {double} : {size} == 4 ? {single} : {half})\n")
}

/// The launch bounds of kernels of which a processor has to hold so many blocks.
fn bounds(blocks: Blocks) -> String {
    let name = blocks.name();
    let define = |format| match blocks.count(format) {
        None => format!("#define {name}\n"),
        Some(count) => format!("#define {name} __launch_bounds__(THREADS, {count})\n"),
    };
    let [double, single, half] = [Format::F64, Format::F32, Format::F16].map(define);
    let single = if single == half { String::new() } else { format!("#elif defined(F32)\n{single}") };
    format!("#if defined(F64)\n{double}{single}#else\n{half}#endif\n")
}

/// The functions of `math` that compute `ids`.
pub(crate) fn functions(g: &Graph, ids: impl IntoIterator<Item = Id>) -> impl Iterator<Item = Part> {
    g.reach(ids).into_iter().filter_map(|id| Part::of_node(g, id))
}

/// `parts` and all that they need.
fn closure(parts: impl IntoIterator<Item = Part>) -> BTreeSet<Part> {
    let mut all: BTreeSet<Part> = parts.into_iter().collect();
    // What a part needs comes before it.
    for part in Part::ALL.iter().rev() {
        if all.contains(part) {
            all.extend(part.needs());
        }
    }
    all
}

/// The text of `parts` and of all that they need, kernels excepted.
pub fn support(parts: impl IntoIterator<Item = Part>) -> String {
    let all = closure(parts);
    let mut text = String::new();
    for part in all.iter().copied().filter(|part| !part.is_math() && *part < Min) {
        add(&mut text, part);
    }
    if all.iter().any(|part| part.is_math()) {
        text += "\n// ---- Functions ----------------------------------------------------------------------------------------
//
// Those of float are, operation by operation, the functions of the CPU kernels, so that results are the same bits; see
// `math::single` of the runtime for sources and errors. Compile without contraction.

";
        text += &math(all.iter().copied());
    }
    for part in all.iter().copied().filter(|part| *part > Sigmoid && !part.is_kernels()) {
        add(&mut text, part);
    }
    text
}

/// Appends a part; those of several lines have a blank line before them.
fn add(text: &mut String, part: Part) {
    let definition = part.text();
    let is_line = definition.lines().count() == 1;
    let follows_line = text.lines().next_back().is_some_and(|line| line.starts_with("#define"));
    let is_in_list = is_line && follows_line;
    if !text.is_empty() && !is_in_list {
        text.push('\n');
    }
    text.push_str(&definition);
}

/// Those of `parts` that are functions of `math`, with all that they need, in its namespace.
pub(crate) fn math(parts: impl IntoIterator<Item = Part>) -> String {
    let mut text = String::from("namespace math {\n");
    for part in closure(parts).into_iter().filter(|part| part.is_math()) {
        let _ = write!(text, "\n{}", part.text());
    }
    text + "\n} // namespace math\n"
}

/// The text of the kernels among `parts`.
pub(super) fn kernels(parts: &BTreeSet<Part>) -> String {
    parts.iter().filter(|part| part.is_kernels()).map(|part| format!("\n{}", part.text())).collect()
}

#[cfg(test)]
mod tests;
