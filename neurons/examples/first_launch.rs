//! How long the first use of a neuron's kernels takes on a GPU, by where they come from:
//!
//! `cargo run --release -p spiking-neurons --example first_launch`

#[path = "common/exit.rs"]
mod exit;

use std::process::ExitCode;
use std::time::Instant;

use neurons::cuda::{CudaDevice, ImageKinds, load_from};
use neurons::{DeclaredNeuron, Lif, cuda};

fn main() -> ExitCode {
    exit::code(run())
}

fn run() -> Result<(), cuda::CudaError> {
    let start = Instant::now();
    let device = CudaDevice::new(0)?;
    let (major, minor) = device.architecture();
    println!("{}, sm_{major}{minor}; driver and context: {:.1?}", device.name(), start.elapsed());
    // Each on a device of its own, so that nothing is loaded yet; the cache on disk makes the last one of its
    // two runs shorter.
    for kinds in [ImageKinds::Binary, ImageKinds::Ptx, ImageKinds::Source, ImageKinds::Source] {
        let device = CudaDevice::new(0)?;
        let start = Instant::now();
        match load_from::<f32>(&device, Lif::SPEC, kinds) {
            Ok(source) => println!("{kinds:?}: from {source} in {:.1?}", start.elapsed()),
            Err(error) => println!("{kinds:?}: {error}"),
        }
    }
    Ok(())
}
