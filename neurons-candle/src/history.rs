//! Long chains of calls, each of which begins with the states of the one before.
//!
//! Candle sorts the graph for a backward pass, and frees it, by recursion, so a chain of some thousands of calls would
//! overflow the stack. Two measures bound its depth. Every [`STRIDE`]th result is an *anchor*, and the call that computes an
//! anchor takes the one before as its first argument, with a gradient of 0: candle's search, which visits first arguments
//! first, thus goes down the anchors, and finds at most [`STRIDE`] calls between two of them. That call also holds the anchor
//! before in a list, which is freed by a loop, the last anchor first.

use std::sync::Arc;

use candle_core::Tensor;

/// The number of calls between anchors.
const STRIDE: usize = 64;

/// The calls that a node's states come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    calls: usize,
    last: Option<Arc<Anchor>>,
}

/// The result of a call, and the anchors before it.
#[derive(Debug)]
pub(crate) struct Anchor {
    result: Tensor,
    earlier: Option<Arc<Anchor>>,
}

impl History {
    /// The last anchor, if the next call computes another one.
    pub fn anchor(&self) -> Option<&Arc<Anchor>> {
        self.last.as_ref().filter(|_| (self.calls + 1).is_multiple_of(STRIDE))
    }

    /// Adds the result of a call, if it is part of a graph.
    pub fn add(&mut self, result: &Tensor) {
        if !result.track_op() {
            return;
        }
        self.calls += 1;
        if self.calls.is_multiple_of(STRIDE) {
            self.last = Some(Arc::new(Anchor { result: result.clone(), earlier: self.last.take() }));
        }
    }
}

impl Anchor {
    pub fn result(&self) -> &Tensor {
        &self.result
    }
}

impl Drop for Anchor {
    fn drop(&mut self) {
        // The graph of an anchor ends at the one before, which is held until that graph is freed.
        let mut earlier = self.earlier.take();
        self.result = self.result.detach();
        while let Some(mut anchor) = earlier.and_then(Arc::into_inner) {
            earlier = anchor.earlier.take();
        }
    }
}
