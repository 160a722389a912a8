//! What CUDA source is compiled with, when a crate is built and at run time alike: equal bits depend on it.

use crate::Format;

/// The options of every compilation. No contraction, so that results are the same bits as the CPU's; division and
/// square roots are IEEE's and denormals are kept by default.
pub const FLAGS: [&str; 2] = ["--fmad=false", "--std=c++17"];

/// All options for data of `format` on an architecture, which is called `sm_90`, or `compute_80` for PTX.
pub fn options(format: Format, architecture: &str) -> Vec<String> {
    let chosen = [format!("--gpu-architecture={architecture}"), format!("-D{}", format.cuda_macro())];
    chosen.into_iter().chain(FLAGS.map(str::to_owned)).collect()
}
