//! Threads to read declarations on.

use std::panic::resume_unwind;
use std::thread;

/// Bytes of the stack.
const STACK: usize = 16 << 20;

/// Does `work` on a thread of its own, if one can be started. The places of tokens are kept for as long as the thread that
/// reads them, and parentheses may be nested deeply.
pub fn with_stack<T: Send>(work: impl Fn() -> T + Sync) -> T {
    thread::scope(|scope| match thread::Builder::new().stack_size(STACK).spawn_scoped(scope, &work) {
        Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
        Err(_) => work(),
    })
}
