//! How the elements of tensors lie in memory: any order of dimensions will do if it is the same for all.

use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::tensor::{Dims, Torch, View};

/// Dimensions of more than one element, the outermost in memory first.
pub type Order = SmallVec<[usize; 6]>;

/// The dimensions of `shape` in the order of memory, if elements lie one behind the other without gaps; `None` otherwise.
pub fn order(shape: &[i64], strides: &[i64]) -> Option<Order> {
    let mut order: Order = (0..shape.len()).filter(|&dim| shape[dim] != 1).collect();
    // Stable, and most often in order already.
    order.sort_by_key(|&dim| std::cmp::Reverse(strides[dim]));
    let mut expected = 1;
    for &dim in order.iter().rev() {
        if strides[dim] != expected {
            return None;
        }
        expected *= shape[dim];
    }
    Some(order)
}

/// Whether two tensors of shape `shape` have each element at the same place.
pub fn same(shape: &[i64], left: &[i64], right: &[i64]) -> bool {
    left.len() == right.len()
        && shape.iter().zip(left.iter().zip(right)).all(|(&size, (left, right))| size == 1 || left == right)
}

/// Sizes in the order of memory; `shape` may have fewer dimensions than those that `order` is of, as when broadcast.
pub fn in_order(order: &Order, shape: &[i64], dims: usize) -> SmallVec<[usize; 6]> {
    let missing = dims - shape.len();
    let size =
        |&dim: &usize| if dim < missing { 1 } else { usize::try_from(shape[dim - missing]).unwrap_or(0) };
    order.iter().map(size).collect()
}

/// Without the first dimension, which is time.
pub fn without_time(dims: &Dims) -> &[i64] {
    dims.get(1..).unwrap_or_default()
}

/// Whether time, if there is any, is outermost in memory, and the elements of a step lie without gaps.
pub fn is_time_major(view: &View, is_sequence: bool) -> bool {
    if !is_sequence {
        return order(&view.shape, &view.strides).is_some();
    }
    let (shape, strides) = (without_time(&view.shape), without_time(&view.strides));
    let neurons = shape.iter().product::<i64>();
    let Some((&steps, &stride)) = view.shape.first().zip(view.strides.first()) else { return false };
    (steps <= 1 || stride == neurons) && order(shape, strides).is_some()
}

/// Whether a tensor can be used as it is: its elements lie in memory without gaps, in whatever order of its dimensions, but
/// with time outermost if it is a sequence.
#[pyfunction]
pub fn is_dense(tensor: &Bound<'_, PyAny>, is_sequence: bool) -> PyResult<bool> {
    let view = Torch::get(tensor.py())?.view(tensor, "tensor")?;
    Ok(view.len() == 0 || is_time_major(&view, is_sequence))
}
