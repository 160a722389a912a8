//! Memory in use does not grow where nobody asks for what is kept.
#![allow(missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use neuron_runtime::{Array, MultiStepNode, Node, neuron, release_memory};

/// Counts the bytes in use.
struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: memory is the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        USED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        USED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's layout.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's pointer and layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MIB: usize = 1 << 20;

neuron! {
    /// A learned input weight.
    pub struct Weighted {
        learnable w = 0.5;
        charge = 0.5 * v + w * x;
        reset hard;
    }
}

/// The growth in bytes from the fifth call to the last.
fn growth(calls: usize, mut call: impl FnMut(usize)) -> usize {
    // One test at a time, since memory is counted for the process.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    release_memory();
    let mut before = 0;
    for i in 0..calls {
        if i == 5 {
            before = USED.load(Ordering::Relaxed);
        }
        call(i);
    }
    USED.load(Ordering::Relaxed).saturating_sub(before)
}

#[test]
fn gradients_of_parameters_take_one_array() {
    let count = MIB;
    let mut node = Node::<Weighted>::default();
    node.set_parameter("w", Array::full([count], 0.5f32)).unwrap();
    let (x, grad) = (Array::full([count], 1.0f32), Array::full([count], 1.0f32));
    let mut first = None;
    let grown = growth(40, |_| {
        node.reset();
        node.forward(&x).unwrap();
        node.backward(&grad).unwrap();
        let grad = || node.parameter_grad("w").unwrap().unwrap().as_slice().unwrap()[0];
        first.get_or_insert_with(grad);
    });
    assert!(grown < MIB, "{grown}");
    // And is the sum: of equal numbers, up to the rounding of each addition.
    let sum = node.parameter_grad("w").unwrap().unwrap().as_slice().unwrap()[0];
    let expected = 40.0 * first.unwrap();
    assert!((sum - expected).abs() < 1e-5 * expected, "{sum} {expected}");
}

#[test]
fn passes_that_nobody_differentiates_are_dropped() {
    let x_seq = Array::full([16, MIB / 16], 1.0f32);
    let mut node = MultiStepNode::<Weighted>::default();
    let grown = growth(60, |_| drop(node.forward(&x_seq).unwrap()));
    assert!(grown < MIB, "{grown}");
    let mut node = Node::<Weighted>::default();
    node.keep_passes(1);
    let x = Array::full([MIB], 1.0f32);
    let grown = growth(60, |_| drop(node.forward(&x).unwrap()));
    assert!(grown < MIB, "{grown}");
    // Unless it is asked for.
    node.keep_passes(10);
    let grown = growth(60, |_| drop(node.forward(&x).unwrap()));
    assert!(grown < 50 * MIB, "{grown}");
}

/// Lengths that never occur again.
#[test]
fn evaluation_keeps_what_is_taken_again() {
    let mut node = MultiStepNode::<Weighted>::default();
    node.eval();
    // One megabyte of numbers, four of bytes.
    let grown = growth(120, |i| {
        node.reset();
        drop(node.forward(&Array::full([8, MIB / 8 + i], 1.0f32)).unwrap());
    });
    // Some outputs, and no inputs.
    assert!(grown < 35 * 4 * MIB, "{grown}");
    let grown = growth(40, |_| drop(Array::full([8, MIB / 4], 1.0f32)));
    assert!(grown < MIB, "{grown}");
}
