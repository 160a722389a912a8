//! The compiler options of CUDA source, both when a crate is built and at run time: bit-identical results depend on them.

use crate::{Format, Target};

/// The options of every compilation. Without contraction, results are bit-identical to the CPU's; by default, division and
/// square roots are those of IEEE 754, and subnormal numbers are kept.
pub const FLAGS: [&str; 2] = ["--fmad=false", "--std=c++17"];

/// All options for data of `format` and an image for `target`.
pub fn options(format: Format, target: Target) -> Vec<String> {
    let chosen = [format!("--gpu-architecture={target}"), format!("-D{}", format.cuda_macro())];
    chosen.into_iter().chain(FLAGS.map(str::to_owned)).collect()
}
