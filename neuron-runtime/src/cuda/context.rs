//! The current context of a thread, which other libraries use, too.

use std::marker::PhantomData;

use cudarc::driver::{CudaContext, result, sys};

use super::CudaError;

/// Makes a context current on this thread; dropping it makes the previous one current again.
#[must_use]
pub(crate) struct Current {
    is_pushed: bool,
    /// Not to be sent to another thread.
    thread: PhantomData<*const ()>,
}

impl Current {
    pub fn enter(context: &CudaContext) -> Result<Self, CudaError> {
        let raw = context.cu_ctx();
        // It usually is: frameworks and this crate use the primary context of the device.
        let is_pushed = get()? != Some(raw);
        if is_pushed {
            // SAFETY: the reference keeps the context alive.
            unsafe { sys::cuCtxPushCurrent_v2(raw) }.result().map_err(refused)?;
        }
        Ok(Self { is_pushed, thread: PhantomData })
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        if self.is_pushed {
            let mut popped = std::ptr::null_mut();
            // SAFETY: pops the context that was pushed on this thread; everything that was pushed later has been popped.
            let _ = unsafe { sys::cuCtxPopCurrent_v2(&raw mut popped) };
        }
    }
}

/// Makes the context that is current now current again when it is dropped: for calls of cudarc that leave another.
#[must_use]
pub(crate) struct Restore {
    before: Option<sys::CUcontext>,
    /// Not to be sent to another thread.
    thread: PhantomData<*const ()>,
}

impl Restore {
    pub fn new() -> Result<Self, CudaError> {
        Ok(Self { before: get()?, thread: PhantomData })
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        // SAFETY: the context was current on this thread before.
        unsafe { set_current(self.before) };
    }
}

/// [`Restore`] as the last field of a structure, for what its other fields do when they are dropped. It can be sent to other
/// threads, since it holds no context before the structure is dropped.
#[derive(Default)]
pub(crate) struct RestoreLast(Option<usize>);

impl RestoreLast {
    /// Remembers the context that is current now. To be called in the `drop` of the structure, which runs before those of its
    /// fields.
    pub fn remember(&mut self) {
        self.0 = get().ok().map(|context| context.map_or(0, |context| context as usize));
    }
}

impl Drop for RestoreLast {
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            // SAFETY: the context was current on this thread when the structure was dropped.
            unsafe { set_current((before != 0).then_some(before as sys::CUcontext)) };
        }
    }
}

/// Makes a context current, or none. Errors are ignored: there is nothing to do about them in a `drop`.
///
/// # Safety
/// The context exists.
unsafe fn set_current(context: Option<sys::CUcontext>) {
    // SAFETY: guaranteed by the caller; null stands for none.
    let _ = unsafe { result::ctx::set_current(context.unwrap_or(std::ptr::null_mut())) };
}

fn get() -> Result<Option<sys::CUcontext>, CudaError> {
    result::ctx::get_current().map_err(refused)
}

fn refused(error: cudarc::driver::DriverError) -> CudaError {
    CudaError::driver("making the context current", error)
}
