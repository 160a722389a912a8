//! DLPack: the table of C functions by which PyTorch (2.11 and later) describes a tensor without making a Python object for it, which
//! is the exchange interface of version 1.3; and capsules, by which a tensor is handed over. Of `dlpack.h` this has what is used.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

/// `DLDeviceType`
pub const CPU: i32 = 1;
/// `DLDeviceType`
pub const CUDA: i32 = 2;
/// `DLDeviceType`: pinned memory of the CPU
pub const CUDA_HOST: i32 = 3;

/// `DLTensor`, with its `DLDevice` and `DLDataType`.
#[repr(C)]
pub struct DlTensor {
    pub data: *mut c_void,
    pub device_type: i32,
    pub device_id: i32,
    pub ndim: i32,
    pub code: u8,
    pub bits: u8,
    pub lanes: u16,
    pub shape: *mut i64,
    pub strides: *mut i64,
    pub byte_offset: u64,
}

/// `DLManagedTensor`: a tensor with its owner.
#[repr(C)]
pub struct Managed {
    pub tensor: DlTensor,
    pub owner: *mut c_void,
    /// Frees the owner, with all that the tensor refers to.
    pub delete: Option<unsafe extern "C" fn(*mut Managed)>,
}

/// The name of a capsule whose tensor nobody has taken yet.
const CAPSULE: &CStr = c"dltensor";

/// A capsule that hands `managed` over.
///
/// # Safety
/// It is valid until its `delete` is called, which may happen on any thread.
pub unsafe fn capsule(py: Python<'_>, managed: NonNull<Managed>) -> PyResult<Bound<'_, PyCapsule>> {
    /// Deletes a tensor that nobody has taken: whoever takes it renames the capsule.
    unsafe extern "C" fn drop_capsule(capsule: *mut ffi::PyObject) {
        // SAFETY: called by the interpreter with a capsule. If it has that name, it was made below and nobody has taken its tensor.
        unsafe {
            if ffi::PyCapsule_IsValid(capsule, CAPSULE.as_ptr()) == 0 {
                return;
            }
            let managed = ffi::PyCapsule_GetPointer(capsule, CAPSULE.as_ptr()).cast::<Managed>();
            if let Some(delete) = (*managed).delete {
                delete(managed);
            }
        }
    }
    // SAFETY: the pointer is not null; the name and the function live as long as the process. What is returned is a new reference,
    // or null with an exception set.
    let capsule = unsafe {
        let capsule = ffi::PyCapsule_New(managed.as_ptr().cast(), CAPSULE.as_ptr(), Some(drop_capsule));
        Bound::from_owned_ptr_or_err(py, capsule)?
    };
    Ok(capsule.cast_into::<PyCapsule>()?)
}

/// `DLPackExchangeAPI`; of functions that are not called, their place.
#[repr(C)]
struct Table {
    major: u32,
    minor: u32,
    previous: *const Table,
    allocate: *const c_void,
    managed_from_object: *const c_void,
    managed_to_object: *const c_void,
    tensor_from_object: Option<unsafe extern "C" fn(*mut c_void, *mut DlTensor) -> c_int>,
    current_stream: unsafe extern "C" fn(i32, i32, *mut *mut c_void) -> c_int,
}

/// The functions of PyTorch's table.
#[derive(Clone, Copy)]
pub struct Exchange {
    tensor: unsafe extern "C" fn(*mut c_void, *mut DlTensor) -> c_int,
    stream: unsafe extern "C" fn(i32, i32, *mut *mut c_void) -> c_int,
}

impl Exchange {
    /// Those of a tensor class, if it has them in a version that is known here.
    pub fn of(class: &Bound<'_, PyAny>) -> Option<Self> {
        let attribute = class.getattr("__dlpack_c_exchange_api__").ok()?;
        let capsule = attribute.cast::<PyCapsule>().ok()?;
        let mut table: NonNull<Table> = capsule.pointer_checked(Some(c"dlpack_exchange_api")).ok()?.cast();
        loop {
            // SAFETY: a capsule of that name holds such a table, whose first members are the same in every version; it and
            // those before it live as long as the process.
            let (major, previous) = unsafe { ((*table.as_ptr()).major, (*table.as_ptr()).previous) };
            if major == 1 {
                break;
            }
            table = NonNull::new(previous.cast_mut())?;
        }
        // SAFETY: of version 1, so it has all members.
        let table = unsafe { table.as_ref() };
        Some(Self { tensor: table.tensor_from_object?, stream: table.current_stream })
    }

    /// What `tensor` is. Its shape and strides belong to the tensor.
    ///
    /// # Safety
    /// It is an instance of the class that the functions are of.
    pub unsafe fn describe(&self, tensor: &Bound<'_, PyAny>) -> PyResult<DlTensor> {
        let mut described = std::mem::MaybeUninit::uninit();
        // SAFETY: the caller answers for the class; the interpreter is attached.
        let status = unsafe { (self.tensor)(tensor.as_ptr().cast(), described.as_mut_ptr()) };
        if status != 0 {
            return Err(PyErr::fetch(tensor.py()));
        }
        // SAFETY: filled in, as the status says.
        Ok(unsafe { described.assume_init() })
    }

    /// The stream that PyTorch launches on now, on that GPU.
    pub fn current_stream(&self, py: Python<'_>, device: i32) -> PyResult<u64> {
        let mut stream = std::ptr::null_mut();
        // SAFETY: writes a pointer; the interpreter is attached.
        let status = unsafe { (self.stream)(CUDA, device, &raw mut stream) };
        if status == 0 { Ok(stream as u64) } else { Err(PyErr::fetch(py)) }
    }
}
