//! Parameters that may differ between neurons.

use crate::by_class::Length;
use crate::{ByClass, Error, ParamSpec};

/// Values of a parameter: one for all neurons, or one a channel, or one a neuron.
///
/// The `N` neurons of a call are seen as `[batch, count, inner]`: neuron `n` has value number
/// `n / inner % count`. For states of shape `[B, C, H, W]`, one value a channel is `count = C, inner = H W`, and
/// one a neuron of an image `count = C H W, inner = 1`.
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

    /// A value for each channel, `inner` neurons next to each other having the same.
    pub fn per_channel(values: &'a [R], inner: usize) -> Self {
        Self { values, inner }
    }

    /// A value for each neuron, the same in every batch.
    pub fn per_neuron(values: &'a [R]) -> Self {
        Self { values, inner: 1 }
    }

    /// The values.
    pub fn values(&self) -> &'a [R] {
        self.values
    }

    /// How many neurons next to each other have the same value.
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
    /// How many values there are.
    pub count: usize,
    /// How many neurons next to each other have the same.
    pub inner: usize,
}

impl Layout {
    /// One value for all.
    pub const SHARED: Self = Self { count: 1, inner: 1 };

    /// Of a parameter of shape `shape` for states of shape `dims`, if it can be broadcast to them as arrays
    /// usually are: dimensions are aligned at the end, missing ones and those of size 1 are repeated. Those that
    /// are not have to be next to each other.
    pub fn broadcast(shape: &[usize], dims: &[usize]) -> Option<Self> {
        let missing = dims.len().checked_sub(shape.len())?;
        let size = |i: usize| if i < missing { 1 } else { shape[i - missing] };
        let Some(first) = (0..dims.len()).find(|&i| size(i) != 1) else { return Some(Self::SHARED) };
        let last = (first..dims.len()).rev().find(|&i| size(i) != 1)?;
        let fits = (first..=last).all(|i| size(i) == dims[i]);
        let product = |range: &[usize]| range.iter().product();
        fits.then(|| Self { count: product(&dims[first..=last]), inner: product(&dims[last + 1..]) })
    }

    /// As [`Layout::broadcast`], of a parameter of the neuron called `neuron`.
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
            expected: format!("one that broadcasts to {dims:?}, repeating outer and inner dimensions only,"),
            actual: shape.to_vec(),
        })
    }

    /// Whether `neurons` are whole batches of it.
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

/// Values of a parameter that know which neurons each is for.
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
    /// How it is distributed over neurons, if it is a parameter.
    pub(crate) fn layout(&self) -> Option<Layout> {
        match self {
            Self::Parameter(parameter) => Some(parameter.layout()),
            _ => None,
        }
    }
}

/// Why a parameter's values do not fit.
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
    }
}
