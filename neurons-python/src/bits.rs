//! Spikes as bits: all of a tensor's elements as one row, in the order of memory.

use neurons::{Class, Element, Format};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::error::exception;
use crate::layout::order;
use crate::tensor::{Dtype, Place, Torch, View};

/// Packs spikes, a tensor without gaps, into `ceil(N / 32)` words of int32: every value other than 0 is a spike. That of element `n`
/// in the order of memory is bit `n % 32` of word `n // 32`.
#[pyfunction]
pub fn pack_bits(spikes: &Bound<'_, PyAny>, words: &Bound<'_, PyAny>) -> PyResult<()> {
    convert(Direction::Pack, spikes, words)
}

/// Unpacks bits into spikes, 0 and 1: the reverse of `pack_bits`.
#[pyfunction]
pub fn unpack_bits(words: &Bound<'_, PyAny>, spikes: &Bound<'_, PyAny>) -> PyResult<()> {
    convert(Direction::Unpack, spikes, words)
}

#[derive(Clone, Copy)]
enum Direction {
    Pack,
    Unpack,
}

fn convert(direction: Direction, spikes: &Bound<'_, PyAny>, words: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = spikes.py();
    let torch = Torch::get(py)?;
    let (spikes, words) = (torch.view(spikes, "spikes")?, torch.view(words, "words")?);
    let Dtype::Number(format) = spikes.dtype else {
        let actual = spikes.dtype.name();
        return Err(PyTypeError::new_err(format!(
            "`spikes` is {actual}; torch.float32, float64, float16 or bfloat16 expected"
        )));
    };
    if words.dtype != Dtype::Int32 {
        let actual = words.dtype.name();
        return Err(PyTypeError::new_err(format!("`words` is {actual}, torch.int32 expected")));
    }
    if spikes.place != words.place {
        let (actual, expected) = (words.place, spikes.place);
        return Err(PyValueError::new_err(format!("`words` is on {actual}, {expected} expected")));
    }
    for (view, name) in [(&spikes, "spikes"), (&words, "words")] {
        if order(&view.shape, &view.strides).is_none() {
            return Err(PyValueError::new_err(format!(
                "`{name}` has gaps in memory; a dense tensor expected"
            )));
        }
        if !view.address.is_multiple_of(view.dtype.size()) {
            return Err(PyValueError::new_err(format!("`{name}` is not aligned for {}", view.dtype.name())));
        }
    }
    let (neurons, expected, actual) = (spikes.len(), Class::Bits.columns(spikes.len()), words.len());
    if actual != expected {
        return Err(PyValueError::new_err(format!(
            "`words` has {actual} elements, {expected} expected for {neurons} spikes"
        )));
    }
    let bytes = |view: &View| view.len() * view.dtype.size();
    if spikes.address < words.address + bytes(&words) && words.address < spikes.address + bytes(&spikes) {
        return Err(PyValueError::new_err("`spikes` and `words` share memory"));
    }
    if neurons == 0 {
        return Ok(());
    }
    match spikes.place {
        Place::Cpu => match format {
            Format::F32 => on_cpu::<f32>(py, direction, &spikes, &words),
            Format::F64 => on_cpu::<f64>(py, direction, &spikes, &words),
            Format::F16 => on_cpu::<half::f16>(py, direction, &spikes, &words),
            Format::Bf16 => on_cpu::<half::bf16>(py, direction, &spikes, &words),
        },
        #[cfg(feature = "cuda")]
        Place::Cuda(index) => on_gpu(py, direction, index, format, &spikes, &words),
        #[cfg(not(feature = "cuda"))]
        Place::Cuda(index) => {
            let message = format!("cuda:{index}: this build of spiking-neurons is without CUDA");
            Err(pyo3::exceptions::PyRuntimeError::new_err(message))
        }
    }
}

fn on_cpu<E: Element>(py: Python<'_>, direction: Direction, spikes: &View, words: &View) -> PyResult<()> {
    let (neurons, count) = (spikes.len(), words.len());
    let run = || {
        // SAFETY: both tensors are dense, aligned, of these formats and lengths, alive while the caller has them, and do not
        // overlap. That no other thread writes to them meanwhile is up to the program, as with any operation of PyTorch.
        unsafe {
            use std::slice::{from_raw_parts, from_raw_parts_mut};
            match direction {
                Direction::Pack => neurons::bits::pack(
                    neurons,
                    from_raw_parts(spikes.address as *const E, neurons),
                    from_raw_parts_mut(words.address as *mut u32, count),
                ),
                Direction::Unpack => neurons::bits::unpack(
                    neurons,
                    from_raw_parts(words.address as *const u32, count),
                    from_raw_parts_mut(spikes.address as *mut E, neurons),
                ),
            }
        }
    };
    let pool = crate::threads::pool(py)?;
    py.detach(|| pool.install(run)).map_err(exception)
}

#[cfg(feature = "cuda")]
fn on_gpu(
    py: Python<'_>,
    direction: Direction,
    index: i32,
    format: Format,
    spikes: &View,
    words: &View,
) -> PyResult<()> {
    use neurons::cuda::RawArray;

    let prepared = crate::gpu::bits(index.unsigned_abs() as usize, format).map_err(exception)?;
    let stream = Some(Torch::get(py)?.current_stream(py, index)?);
    let array = |view: &View| RawArray { address: view.address as u64, len: view.len() };
    let (neurons, spikes, words) = (spikes.len(), array(spikes), array(words));
    // SAFETY: the tensors are on this GPU, dense, aligned and of these formats, do not overlap, and PyTorch does not reuse their
    // memory before the stream has got there. Devices are kept for ever.
    let done = py.detach(|| unsafe {
        match direction {
            Direction::Pack => prepared.pack(neurons, spikes, words, stream),
            Direction::Unpack => prepared.unpack(neurons, words, spikes, stream),
        }
    });
    done.map_err(exception)
}
