//! Words that are not free: keywords, and what generated code itself refers to.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::function;

/// Keywords of Rust in any edition, and those it reserves.
const RUST: &str = "as async await break const continue crate dyn else enum extern false fn for gen if impl in let loop \
                    match mod move mut pub ref return self Self static struct super trait true try type unsafe use where \
                    while abstract become box do final macro override priv typeof unsized virtual yield";

/// Keywords of C++20, spelled operators among them, and names that CUDA defines for every kernel.
const CUDA: &str = "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t \
                    class compl concept const consteval constexpr constinit const_cast continue co_await co_return \
                    co_yield decltype default delete do double dynamic_cast else enum explicit export extern false float \
                    for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq \
                    private protected public register reinterpret_cast requires return short signed sizeof static \
                    static_assert static_cast struct switch template this thread_local throw true try typedef typeid \
                    typename union unsigned using virtual void volatile wchar_t while xor xor_eq restrict \
                    threadIdx blockIdx blockDim gridDim warpSize";

/// Macros that compilers or their headers define although nothing is included. A parameter of that name would be replaced.
const MACROS: &str = "linux unix i386 NULL NAN INFINITY HUGE_VAL assert errno EOF CHAR_BIT isnan isinf isfinite signbit \
                      M_E M_LOG2E M_LOG10E M_LN2 M_LN10 M_PI M_PI_2 M_PI_4 M_1_PI M_2_PI M_2_SQRTPI M_SQRT2 M_SQRT1_2 \
                      FP_NAN FP_INFINITE FP_ZERO FP_SUBNORMAL FP_NORMAL RAND_MAX EXIT_SUCCESS EXIT_FAILURE MB_CUR_MAX \
                      DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS stdin stdout stderr major minor makedev";

/// What generated Rust refers to: generics, modules, functions and constants that are in scope in a neuron's module.
const GENERATED_RUST: &str = "exprel_slope E R Some None Ok Err Option Result Vec SPEC CUDA LANES STEPS num lane lanes chunk index step \
                              steps params gradient detach_reset tile kernels generated values check_finite check_range neuron_runtime std core";

/// What generated CUDA refers to. That none is forgotten is tested.
const GENERATED_CUDA: &str = "u16 u32 u64 scalar_t acc_t math surrogates reciprocal bounded load store thread_index \
                              word_count chunk_count ballot load_or store_if copy_async wait_for_copies neuron_of_thread prepare tile place \
                              groups group member next turn before scan map maps chunk neurons columns gradient steps \
                              STEPS HALF_CHUNK LANES_UP_TO_2 LANES_PER_8_BYTES LANES_PER_4_BYTES THREADS WORD SUM_ROWS \
                              SUM_SEGMENT SUM_PARAMETERS SURROGATE_PARAMETERS MIN_2_BLOCKS_PER_SM MIN_3_OR_4_BLOCKS_PER_SM MIN_4_BLOCKS_PER_SM STAGE_MEMORY LANES CHUNKS \
                              CHUNKS_PER_GROUP CHUNKS_PER_HALF_GROUP THREADS_PER_GROUP THREADS_PER_HALF_GROUP Group Groups \
                              WARPS WARPS_PER_SCAN WARPS_PER_HALF_SCAN THREADS_PER_SCAN THREADS_PER_HALF_SCAN Scan Map Maps \
                              F32 F64 F16 BF16 UNROLL FOR_LANES SYMBOL KERNEL CASE APPLY SURROGATES CUSTOM_SURROGATE \
                              Chunk Packed EightSpikes ByteOfSpikes Stage Tile WarpTile ParamArray ParamPlace SurrogateGradient float_from_half \
                              half_from_float term hand_on opaque Totals GradientSum";

static RESERVED: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lists = [RUST, CUDA, MACROS, GENERATED_RUST, GENERATED_CUDA];
    // Kernels call the functions of the language by their names.
    lists.into_iter().flat_map(str::split_whitespace).chain(function::names()).collect()
});

/// Whether generated code cannot use `name` for a quantity.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(name)
}

/// Whether `name` is a keyword of Rust in some edition.
pub fn is_keyword(name: &str) -> bool {
    RUST.split_whitespace().any(|word| word == name)
}

/// A Greek letter by its name, which is how it is usually spelled in code.
pub fn greek(letter: char) -> Option<&'static str> {
    const LETTERS: [(char, &str); 24] = [
        ('α', "alpha"),
        ('β', "beta"),
        ('γ', "gamma"),
        ('δ', "delta"),
        ('ε', "epsilon"),
        ('ζ', "zeta"),
        ('η', "eta"),
        ('θ', "theta"),
        ('ι', "iota"),
        ('κ', "kappa"),
        ('λ', "lambda"),
        ('μ', "mu"),
        ('ν', "nu"),
        ('ξ', "xi"),
        ('ο', "omicron"),
        ('π', "pi"),
        ('ρ', "rho"),
        ('σ', "sigma"),
        ('τ', "tau"),
        ('υ', "upsilon"),
        ('φ', "phi"),
        ('χ', "chi"),
        ('ψ', "psi"),
        ('ω', "omega"),
    ];
    let lowercase = letter.to_lowercase().next()?;
    LETTERS.iter().find(|(known, _)| *known == lowercase).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::cuda::Part;

    /// A quantity called like a macro would be replaced, and one called like a type or a function would hide it.
    #[test]
    fn what_cuda_sources_define_is_reserved() {
        let mut names = Vec::new();
        let mut is_inside = false;
        let texts: Vec<String> =
            Part::ALL.iter().filter(|part| !part.is_math()).map(|part| part.text()).collect();
        for line in texts.iter().flat_map(|text| text.lines()) {
            is_inside |= line.starts_with("namespace");
            is_inside &= !line.starts_with("} // namespace");
            let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '#';
            let words: Vec<&str> =
                line.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).collect();
            match words.as_slice() {
                ["#define", name, ..] => names.push(*name),
                // What is in a namespace is called by it.
                _ if is_inside || line.starts_with(' ') => {}
                [.., name] if words.contains(&"alignas") => names.push(*name),
                ["struct", name, ..] | ["template", "int", "LANES", "struct", name, ..] => names.push(*name),
                ["typedef", .., name] => names.push(*name),
                ["__device__", "__forceinline__", _, name, ..] => names.push(*name),
                _ => {}
            }
        }
        for expected in ["STEPS", "Chunk", "Stage", "scalar_t", "chunk_count", "UNROLL"] {
            assert!(names.contains(&expected), "{names:?}");
        }
        let free: Vec<_> = names.into_iter().filter(|name| !is_reserved(name)).collect();
        assert!(free.is_empty(), "{free:?}");
    }
}
