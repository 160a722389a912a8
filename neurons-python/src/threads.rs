//! The threads that kernels run on: as many as PyTorch's, and new ones after a fork.

use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The pool in use, or null: before the first one is needed, and in a child process after a fork, where threads of the parent
/// do not exist. No lock, since another thread might have held it at the fork.
static POOL: AtomicPtr<Arc<ThreadPool>> = AtomicPtr::new(std::ptr::null_mut());

/// Lets child processes start threads of their own.
pub fn handle_forks() {
    extern "C" fn forget() {
        POOL.store(std::ptr::null_mut(), Ordering::Release);
    }
    #[cfg(unix)]
    // SAFETY: the handler stores a pointer, which is allowed between a fork and whatever follows it.
    unsafe {
        libc::pthread_atfork(None, None, Some(forget));
    }
}

/// A pool of as many threads as PyTorch uses.
pub fn pool(py: Python<'_>) -> PyResult<Arc<ThreadPool>> {
    let threads: usize = py.import("torch")?.call_method0("get_num_threads")?.extract()?;
    // SAFETY: null, or a pool that was leaked below.
    let current = unsafe { POOL.load(Ordering::Acquire).as_ref() };
    if let Some(pool) = current.filter(|pool| pool.current_num_threads() == threads) {
        return Ok(pool.clone());
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("neurons-{index}"))
        .build()
        .map_err(|error| PyRuntimeError::new_err(format!("starting {threads} threads: {error}")))?;
    let pool = Arc::new(pool);
    // The pool before is leaked: a call on another thread may be about to clone it, and numbers of threads change rarely.
    POOL.store(Box::into_raw(Box::new(pool.clone())), Ordering::Release);
    Ok(pool)
}
