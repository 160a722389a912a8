//! Gradients that one operation leaves for another, to which candle's backward pass gets later.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use candle_core::Tensor;

/// Gradients with the indices that they were left under. A backward pass runs on one thread, but several threads may run one over
/// the same graph.
#[derive(Debug, Default)]
pub(crate) struct Left(Mutex<Vec<(ThreadId, usize, Tensor)>>);

impl Left {
    pub fn leave(&self, index: usize, grad: Tensor) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = thread::current().id();
        // If there already is one, a backward pass has failed before it came to the other operation.
        all.retain(|(owner, other, _)| (*owner, *other) != (thread, index));
        all.push((thread, index, grad));
    }

    /// Those of the first `count` indices.
    pub fn take(&self, count: usize) -> Vec<Option<Tensor>> {
        let mut grads = vec![None; count];
        let thread = thread::current().id();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, index, grad) in all.extract_if(.., |(owner, ..)| *owner == thread) {
            grads[index] = Some(grad);
        }
        grads
    }
}
