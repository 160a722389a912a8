//! The context that is current on a thread, which is other libraries' too.

use std::marker::PhantomData;

use cudarc::driver::{CudaContext, result, sys};

use super::CudaError;

/// Makes a context the current one of this thread; the one before is current again when it is dropped.
#[must_use]
pub(crate) struct Current {
    is_pushed: bool,
    /// Of this thread only.
    thread: PhantomData<*const ()>,
}

impl Current {
    pub fn enter(context: &CudaContext) -> Result<Self, CudaError> {
        let refused = |e| CudaError::driver("making the context current", e);
        let raw = context.cu_ctx();
        // Most often it is: the frameworks' and ours is the primary context of the device.
        let is_pushed = result::ctx::get_current().map_err(refused)? != Some(raw);
        if is_pushed {
            // SAFETY: the context is alive as long as the reference to it.
            unsafe { sys::cuCtxPushCurrent_v2(raw) }.result().map_err(refused)?;
        }
        Ok(Self { is_pushed, thread: PhantomData })
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        if self.is_pushed {
            let mut popped = std::ptr::null_mut();
            // SAFETY: pops what was pushed above, on the same thread. What is above it by now was set by whoever did not
            // restore it.
            let _ = unsafe { sys::cuCtxPopCurrent_v2(&raw mut popped) };
        }
    }
}

/// Whatever context is current on this thread now, or none, will be so again when this is dropped.
#[must_use]
pub(crate) struct Preserved {
    before: Option<sys::CUcontext>,
    /// Of this thread only.
    thread: PhantomData<*const ()>,
}

impl Preserved {
    /// The driver has to be loaded.
    pub fn new() -> Result<Self, CudaError> {
        let before =
            result::ctx::get_current().map_err(|e| CudaError::driver("asking for the context", e))?;
        Ok(Self { before, thread: PhantomData })
    }
}

impl Drop for Preserved {
    fn drop(&mut self) {
        // SAFETY: it was the current one, or null, which stands for none.
        let _ = unsafe { sys::cuCtxSetCurrent(self.before.unwrap_or(std::ptr::null_mut())) };
    }
}
