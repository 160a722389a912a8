//! Tensors on the CPU in memory that is kept for later ones when they are freed.
//!
//! PyTorch returns large memory to the system at once. Every page of new memory causes a page fault when it is first touched, which
//! takes longer than a kernel needs for it.

use std::ptr::NonNull;

use neurons::HostBuffer;
use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::dlpack::{self, DlTensor, Managed};
use crate::layout::order;
use crate::tensor::{Dims, Dtype};

/// A tensor with contents of any kind, as a capsule for `torch.utils.dlpack.from_dlpack`.
#[pyfunction]
pub fn host_tensor<'py>(
    py: Python<'py>,
    shape: Vec<i64>,
    stride: Vec<i64>,
    dtype: &str,
) -> PyResult<Bound<'py, PyCapsule>> {
    let dtype =
        Dtype::parse(dtype).ok_or_else(|| PyTypeError::new_err(format!("kernels do not write {dtype}")))?;
    let (shape, strides) = (Dims::from_vec(shape), Dims::from_vec(stride));
    let wrong = || {
        PyValueError::new_err(format!(
            "a tensor of shape {shape:?} and stride {strides:?} has gaps in memory or no elements"
        ))
    };
    if shape.len() != strides.len() || shape.iter().any(|&size| size <= 0) {
        return Err(wrong());
    }
    let bytes = shape.iter().try_fold(dtype.size(), |bytes, &size| bytes.checked_mul(size as usize));
    let bytes = bytes.filter(|&bytes| bytes <= isize::MAX as usize / 2);
    let too_many =
        || PyMemoryError::new_err(format!("there is no memory for {shape:?} elements of {}", dtype.name()));
    let bytes = bytes.ok_or_else(too_many)?;
    if order(&shape, &strides).is_none() {
        return Err(wrong());
    }
    // Asked beforehand, since an allocation that fails ends the process.
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| too_many())?;
    Tensor::new(bytes, shape, strides, dtype).into_capsule(py)
}

/// Returns what is kept to the system.
#[pyfunction]
pub fn release_memory() {
    neurons::release_memory();
}

/// What belongs to a tensor of another library.
struct Tensor {
    managed: Managed,
    shape: Dims,
    strides: Dims,
    buffer: HostBuffer,
}

impl Tensor {
    fn new(bytes: usize, shape: Dims, strides: Dims, dtype: Dtype) -> Box<Self> {
        let (code, bits) = dtype.code();
        let tensor = DlTensor {
            data: std::ptr::null_mut(),
            device_type: dlpack::CPU,
            device_id: 0,
            ndim: shape.len() as i32,
            code,
            bits,
            lanes: 1,
            shape: std::ptr::null_mut(),
            strides: std::ptr::null_mut(),
            byte_offset: 0,
        };
        let managed = Managed { tensor, owner: std::ptr::null_mut(), delete: Some(delete) };
        Box::new(Self { managed, shape, strides, buffer: HostBuffer::new(bytes) })
    }

    fn into_capsule(self: Box<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyCapsule>> {
        let owner = Box::into_raw(self);
        // SAFETY: just made, and nobody else has it yet. It stays where it is, and so do its shape and strides.
        let managed = unsafe {
            let tensor = &mut (*owner).managed.tensor;
            tensor.data = (*owner).buffer.address().as_ptr().cast();
            tensor.shape = (*owner).shape.as_mut_ptr();
            tensor.strides = (*owner).strides.as_mut_ptr();
            (*owner).managed.owner = owner.cast();
            NonNull::new_unchecked(&raw mut (*owner).managed)
        };
        // SAFETY: a table of DLPack that lives until its `delete` is called.
        unsafe { dlpack::capsule(py, managed) }
    }
}

/// Called once, by whoever has the tensor last, on any thread.
unsafe extern "C" fn delete(managed: *mut Managed) {
    // SAFETY: `managed` is part of the box that `into_capsule` made a pointer of, which is given up by this call.
    drop(unsafe { Box::from_raw((*managed).owner.cast::<Tensor>()) });
}
