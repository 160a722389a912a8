//! A parameter's values for the columns of one tile.

use crate::number::LANES;
use crate::{Parameter, Real};

/// A tile's values of a parameter.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a, R: Real> {
    parameter: Parameter<'a, R>,
    /// The tile's first neuron.
    first: usize,
}

impl<'a, R: Real> Values<'a, R> {
    pub(crate) fn new(parameter: Parameter<'a, R>, first: usize) -> Self {
        Self { parameter, first }
    }

    /// The value of each lane.
    #[inline(always)]
    pub fn load(&self) -> [R; LANES] {
        match self.parameter.values() {
            [value] => [*value; LANES],
            values => spread(values, self.parameter.inner(), self.first),
        }
    }
}

/// Values of neurons from `first` on.
#[inline(never)]
fn spread<R: Real>(values: &[R], inner: usize, first: usize) -> [R; LANES] {
    let mut channel = first / inner % values.len();
    if inner == 1
        && let Some(block) = values.get(channel..channel + LANES)
    {
        return block.try_into().expect("as many as lanes");
    }
    let mut left = inner - first % inner;
    std::array::from_fn(|_| {
        let value = values[channel];
        left -= 1;
        if left == 0 {
            left = inner;
            channel = if channel + 1 == values.len() { 0 } else { channel + 1 };
        }
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_have_their_channels() {
        let values: Vec<f32> = (0..200u8).map(f32::from).collect();
        for (count, inner) in [(1, 1), (3, 1), (3, 5), (70, 1), (200, 1), (200, 100), (2, 64)] {
            for first in [0, 64, 128, 640] {
                let lanes = Values::new(Parameter::per_channel(&values[..count], inner), first).load();
                for (lane, value) in lanes.into_iter().enumerate() {
                    assert_eq!(value, values[(first + lane) / inner % count]);
                }
            }
        }
    }
}
