//! Parameters that may differ between neurons.

use crate::by_class::Length;
use crate::{ByClass, Error, ParamSpec};

/// Values of a parameter: one for all neurons, one per channel, or one per neuron.
///
/// The `N` neurons of a call are treated as `[batch, count, inner]`: neuron `n` has the value with index
/// `n / inner % count`. For states of shape `[B, C, H, W]`, one value per channel is `count = C, inner = H W`, and
/// one per neuron of an image is `count = C H W, inner = 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter<'a, R> {
    values: &'a [R],
    inner: usize,
}

impl<'a, R> Parameter<'a, R> {
    /// One value for all neurons.
    pub fn shared(value: &'a R) -> Self {
        Self { values: std::slice::from_ref(value), inner: 1 }
    }

    /// One value per channel of `inner` adjacent neurons.
    pub fn per_channel(values: &'a [R], inner: usize) -> Self {
        Self { values, inner }
    }

    /// One value per neuron of a batch element.
    pub fn per_neuron(values: &'a [R]) -> Self {
        Self { values, inner: 1 }
    }

    /// The values.
    pub fn values(&self) -> &'a [R] {
        self.values
    }

    /// The number of adjacent neurons that share a value.
    pub fn inner(&self) -> usize {
        self.inner
    }

    /// How values are distributed over neurons.
    pub(crate) fn layout(&self) -> Layout {
        Layout { count: self.values.len(), inner: self.inner }
    }
}

/// How the values of a parameter are distributed over neurons; see [`Parameter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The number of values.
    pub count: usize,
    /// The number of adjacent neurons that share a value.
    pub inner: usize,
}

impl Layout {
    /// One value for all.
    pub const SHARED: Self = Self { count: 1, inner: 1 };

    /// The layout of a parameter of shape `shape` for states of shape `dims`, if it can be broadcast to them as usual:
    /// dimensions are aligned at the end, and missing ones and those of size 1 are repeated. The others must be adjacent.
    pub fn broadcast(shape: &[usize], dims: &[usize]) -> Option<Self> {
        let missing = dims.len().checked_sub(shape.len())?;
        let size = |i: usize| if i < missing { 1 } else { shape[i - missing] };
        let Some(first) = (0..dims.len()).find(|&i| size(i) != 1) else { return Some(Self::SHARED) };
        let last = (first..dims.len()).rev().find(|&i| size(i) != 1)?;
        let fits = (first..=last).all(|i| size(i) == dims[i]);
        // Dimensions of no array may be arbitrarily large.
        let product =
            |range: &[usize]| range.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        let (count, inner) = (product(&dims[first..=last])?, product(&dims[last + 1..])?);
        fits.then_some(Self { count, inner })
    }

    /// As [`Layout::broadcast`], for the parameter `param` of the neuron `neuron`.
    ///
    /// # Errors
    /// [`Error::Shape`]
    pub fn of(
        neuron: &'static str,
        param: &ParamSpec,
        shape: &[usize],
        dims: &[usize],
    ) -> Result<Self, Error> {
        Self::broadcast(shape, dims).ok_or_else(|| Error::Shape {
            neuron,
            argument: param.name.to_owned(),
            expected: format!("broadcastable to {dims:?} (repeating outer and inner dimensions only)"),
            actual: shape.to_vec(),
        })
    }

    /// Whether `neurons` is a multiple of its batch size.
    pub fn divides(self, neurons: usize) -> bool {
        let block = self.count.checked_mul(self.inner).filter(|block| *block > 0);
        block.is_some_and(|block| self == Self::SHARED || neurons.is_multiple_of(block))
    }
}

impl<R> Length for Parameter<'_, R> {
    fn length(&self) -> usize {
        self.values().len()
    }
}

/// Values of a parameter with a layout.
pub trait Distributed {
    /// How they are distributed over neurons.
    fn layout(&self) -> Layout;
}

impl<R> Distributed for Parameter<'_, R> {
    fn layout(&self) -> Layout {
        Parameter::layout(self)
    }
}

impl<S, R, P: Distributed, B> ByClass<S, R, P, B> {
    /// Its layout, if it is a parameter.
    pub(crate) fn layout(&self) -> Option<Layout> {
        match self {
            Self::Parameter(parameter) => Some(parameter.layout()),
            _ => None,
        }
    }
}

/// Checks that a layout matches the number of neurons.
pub(crate) fn misfit(
    neuron: &'static str,
    argument: &'static str,
    layout: Layout,
    neurons: usize,
) -> Result<(), Error> {
    if layout.divides(neurons) {
        return Ok(());
    }
    let Layout { count, inner } = layout;
    Err(Error::ParameterLayout { neuron, argument, count, inner, neurons })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_broadcast() {
        let layout = |shape: &[usize], dims: &[usize]| {
            Layout::broadcast(shape, dims).map(|layout| (layout.count, layout.inner))
        };
        assert_eq!(layout(&[], &[4, 3]), Some((1, 1)));
        assert_eq!(layout(&[1], &[4, 3]), Some((1, 1)));
        assert_eq!(layout(&[3], &[4, 3]), Some((3, 1)));
        assert_eq!(layout(&[4, 1], &[4, 3]), Some((4, 3)));
        assert_eq!(layout(&[3, 1, 1], &[2, 3, 4, 5]), Some((3, 20)));
        assert_eq!(layout(&[3, 4, 5], &[2, 3, 4, 5]), Some((60, 1)));
        assert_eq!(layout(&[2, 3, 4, 5], &[2, 3, 4, 5]), Some((120, 1)));
        assert_eq!(layout(&[2], &[4, 3]), None);
        assert_eq!(layout(&[3, 1, 5], &[2, 3, 4, 5]), None);
        assert_eq!(layout(&[1, 1, 3], &[4, 3]), None);
        let large = [1 << 40, 1 << 40];
        assert_eq!((layout(&large, &large), layout(&[3, 1, 1], &[3, 1 << 40, 1 << 40])), (None, None));
    }
}
