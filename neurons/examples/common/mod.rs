//! What the examples that measure time have in common.

use std::time::Instant;

use clap::ValueEnum;
use neurons::Error;
use neurons::cuda::{CudaArray, CudaDevice};
use rayon::prelude::*;

/// Where to run.
#[derive(Clone, Copy, ValueEnum, PartialEq)]
pub enum Place {
    Cpu,
    Cuda,
}

/// Seconds of each of several runs, after one that does not count.
pub fn times(runs: usize, mut run: impl FnMut() -> Result<(), Error>) -> Result<Vec<f64>, Error> {
    run()?;
    let timed = |_| {
        let start = Instant::now();
        run()?;
        Ok(start.elapsed().as_secs_f64())
    };
    (0..runs).map(timed).collect()
}

/// What copies half of `bytes` to the other half, so that as many are read and written.
pub fn copy_on_cpu(bytes: usize) -> impl FnMut() -> Result<(), Error> {
    // Not zeros, which may be one page of the system's.
    let from = vec![1.0f32; bytes / 8];
    let mut to = vec![0.0f32; bytes / 8];
    let part = to.len().div_ceil(rayon::current_num_threads() * 8).max(1);
    move || {
        to.par_chunks_mut(part).zip(from.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from));
        Ok(())
    }
}

/// What copies half of `bytes` of a GPU to the other half, so many times in a row, and waits for it.
pub fn copies_on_cuda(
    device: &CudaDevice,
    bytes: usize,
    copies: usize,
) -> Result<impl FnMut() -> Result<(), Error>, Error> {
    let from = CudaArray::<f32>::zeros(device, bytes / 8)?;
    let mut to = CudaArray::<f32>::zeros(device, bytes / 8)?;
    let device = device.clone();
    Ok(move || {
        for _ in 0..copies {
            to.copy_from(&from)?;
        }
        Ok(device.synchronize()?)
    })
}
