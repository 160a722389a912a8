//! Counts of spikes as steps of binary spikes.
//!
//! A neuron that emits up to `levels` spikes in one step, such as `Ilif`, is trained with these integers. For inference, on
//! hardware that knows only spikes, each step becomes `levels` steps with 0 or 1 spikes, as many of them 1 as the integer
//! says (Luo et al., 2024, "Integer-Valued Training and Spike-Driven Inference Spiking Neural Network", arXiv:2407.20708).
//! Layers that are linear in their input, such as a convolution, then have the same sum over these steps.

use neuron_abi::WORD;

use crate::{Array, Class, Element, Error, PackedSpikes, Real, Spec, Template};

/// Counts `[T, ...]` as spikes `[T * levels, ...]`, on the same device: of the `levels` steps of a count `c`, the first `c`
/// have a spike.
///
/// ```
/// use neuron_runtime::{Array, counts};
///
/// let counts = Array::from_vec([1, 3], vec![0.0f32, 2.0, 1.0])?;
/// let spikes = counts::unroll(&counts, 2)?;
/// assert_eq!(spikes, Array::from_vec([2, 3], vec![0.0, 1.0, 1.0, 0.0, 1.0, 0.0])?);
/// # Ok::<(), neuron_runtime::Error>(())
/// ```
///
/// # Errors
/// [`Error::SpikeCount`] for a number that is negative, fractional, NaN or more than `levels`; [`Error::Levels`];
/// [`Error::Shape`] without a time dimension. Counts on a GPU are read and unrolled on the CPU: [`Error::Cuda`].
pub fn unroll<E: Element>(counts: &Array<E>, levels: usize) -> Result<Array<E>, Error> {
    let Unrolled { counts: values, shape, width } = Unrolled::of("counts", counts, levels)?;
    let mut spikes = Vec::with_capacity(values.len() * levels);
    for row in values.chunks(width) {
        for level in 0..levels {
            let spike = |&count: &usize| if count > level { E::store(E::Real::ONE) } else { E::default() };
            spikes.extend(row.iter().map(spike));
        }
    }
    Array::from_vec(shape, spikes)?.to(&counts.device())
}

/// As [`unroll`], bit-packed. `spec` is any neuron that fires; see [`PackedSpikes::pack`].
///
/// # Errors
/// As [`unroll`]; [`Error::Empty`] for counts without elements, [`Error::NoTemplate`] if the neuron does not fire.
pub fn unroll_packed<E: Element>(
    spec: &'static Spec,
    counts: &Array<E>,
    levels: usize,
) -> Result<PackedSpikes, Error> {
    let template = Template::PackedFptt;
    spec.check_template(template)?;
    let Unrolled { counts: values, shape, width } = Unrolled::of(spec.name, counts, levels)?;
    if values.is_empty() {
        let what = if counts.shape()[1..].contains(&0) { "N" } else { "T" };
        return Err(Error::Empty { neuron: spec.name, template, what });
    }
    let mut words = Vec::with_capacity(values.len() / width * levels * Class::Bits.columns(width));
    for row in values.chunks(width) {
        for level in 0..levels {
            words.extend(row.chunks(WORD).map(|counts| {
                let bit = |(place, &count): (usize, &usize)| u32::from(count > level) << place;
                counts.iter().enumerate().map(bit).sum::<u32>()
            }));
        }
    }
    PackedSpikes::of_words(spec, shape, words).to(&counts.device())
}

/// Counts that have been checked, and the shape of their spikes.
struct Unrolled {
    counts: Vec<usize>,
    shape: Vec<usize>,
    /// Counts per step; at least 1.
    width: usize,
}

impl Unrolled {
    fn of<E: Element>(what: &'static str, counts: &Array<E>, levels: usize) -> Result<Self, Error> {
        let shape = counts.shape();
        let Some((&steps, dims)) = shape.split_first() else {
            let (argument, expected) = ("counts".to_owned(), "[T, ...]".to_owned());
            return Err(Error::Shape { neuron: what, argument, expected, actual: Vec::new() });
        };
        let values = counts.to_vec()?;
        // The limit of Rust's allocations.
        let most = isize::MAX.unsigned_abs() / size_of::<E>() / values.len().max(steps).max(1);
        if !(1..=most).contains(&levels) {
            return Err(Error::Levels { shape: shape.to_vec(), levels, most });
        }
        let count = |(at, value): (usize, &E)| {
            let value = value.load().to_f64();
            let is_count = value >= 0.0 && value <= levels as f64 && value.fract() == 0.0;
            let error = || Error::SpikeCount { levels, index: index(at, shape), value };
            is_count.then_some(value as usize).ok_or_else(error)
        };
        let values = values.iter().enumerate().map(count).collect::<Result<Vec<_>, _>>()?;
        let width = dims.iter().product::<usize>().max(1);
        Ok(Self { counts: values, shape: [&[steps * levels], dims].concat(), width })
    }
}

/// The index of element `at`, row-major.
fn index(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|size| {
            let place = at % size;
            at /= size;
            place
        })
        .collect();
    index.reverse();
    index
}
