//! What CUDA source is compiled with, when a crate is built and at run time alike: equal bits depend on it.

use crate::{Format, Target};

/// The options of every compilation. No contraction, so that results are the same bits as the CPU's; division and
/// square roots are IEEE's and denormals are kept by default.
pub const FLAGS: [&str; 2] = ["--fmad=false", "--std=c++17"];

/// All options for data of `format` and an image for `target`.
pub fn options(format: Format, target: Target) -> Vec<String> {
    let chosen = [format!("--gpu-architecture={target}"), format!("-D{}", format.cuda_macro())];
    chosen.into_iter().chain(FLAGS.map(str::to_owned)).collect()
}
