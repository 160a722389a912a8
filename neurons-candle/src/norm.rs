//! Batch normalisation as values of a neuron's parameters, and its running statistics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use candle_core::{DType, Device, Tensor, Var};
use neuron_runtime::{Gradient, Neuron, ParamKind, Spec};

use crate::check::{input_names, state_dtype_of, step_dims};
use crate::left::Left;
use crate::moments::{Channels, Moments};
use crate::own::own_values;
use crate::{Error, initial_state_with, step_with};

/// The parameters of `(x - mean) * scale + shift`, and whether they are learnable.
pub(crate) const PARAMETERS: [(&str, ParamKind); 3] =
    [("mean", ParamKind::Array), ("scale", ParamKind::Learnable), ("shift", ParamKind::Learnable)];

/// What an input is normalised by. Clones share variables.
#[derive(Clone, Debug)]
pub(crate) struct Norm {
    pub norm: candle_nn::BatchNorm,
    /// Of [`PARAMETERS`] among the neuron's [`Spec::arrays`].
    places: [usize; 3],
    /// Whether channels are the last dimension, rather than the one after the batch.
    pub is_last: bool,
    /// The number of batches so far, if running statistics are averages over all of them.
    pub batches: Option<Arc<AtomicU64>>,
}

/// An input, and the parameters that normalise it.
pub(crate) struct Normalised {
    /// Contiguous, since it is read several times.
    pub x: Tensor,
    /// Values that take the place of the layer's own: each with its index among [`Spec::arrays`].
    pub parameters: Vec<(usize, Tensor)>,
    /// Where the neurons leave the gradient of `x`, for that through the statistics to be added.
    pub grad_input: Option<Arc<Left>>,
    /// In training: the statistics of the input, and the normalisation whose running ones they update.
    measured: Option<(Moments, Norm)>,
}

impl Norm {
    /// For a neuron that transforms its input by [`PARAMETERS`].
    pub fn new<N: Neuron + Clone>(norm: candle_nn::BatchNorm, neuron: &N) -> Result<Self, Error> {
        let spec = neuron.spec();
        let refused = || Error::NotTransformed { neuron: spec.name };
        let mut places = [0; 3];
        for (place, (name, kind)) in places.iter_mut().zip(PARAMETERS) {
            let fits = |param: &neuron_runtime::ParamSpec| param.name == name && param.kind == kind;
            *place = spec.arrays().position(fits).ok_or_else(refused)?;
        }
        if spec.inputs.len() != 1 || !transforms(neuron, places)? {
            return Err(refused());
        }
        Ok(Self { norm, places, is_last: false, batches: None })
    }

    /// Normalises the input of a step or a sequence: by its own statistics in training, by the running ones otherwise.
    pub fn normalised(
        &self,
        spec: &'static Spec,
        is_sequence: bool,
        x: &Tensor,
        is_training: bool,
    ) -> Result<Normalised, Error> {
        let name = input_names(spec, is_sequence)[0];
        let dtype = state_dtype_of(name, x)?;
        let (channels, shape) = self.channels(spec, name, is_sequence, x)?;
        let (x, norm) = (x.contiguous()?, &self.norm);
        let affine = norm.weight_and_bias();
        let affine =
            affine.map(|(weight, bias)| Ok::<_, Error>((weight.to_dtype(dtype)?, bias.to_dtype(dtype)?)));
        let (weight, bias) = affine.transpose()?.unzip();
        let scale = |invstd: Tensor| weight.as_ref().map_or(Ok(invstd.clone()), |weight| weight * &invstd);

        let (mean, scale, shift, measured) = if is_training {
            if channels.values() < 2 {
                return Err(Error::FewValues { name: name.to_owned(), shape: x.dims().to_vec() });
            }
            let moments = Moments::of(&x, channels, norm.eps())?;
            let mean = moments.mean.detach();
            let scale = scale(moments.invstd.clone())?;
            // Zeros, through which the gradient of the shift gets to the mean: that of the neuron's own parameter would be
            // another sum over all of its neurons.
            let zeros = ((&mean - &moments.mean)? * &scale)?;
            let shift = bias.map_or(Ok(zeros.clone()), |bias| bias + zeros)?;
            (mean, scale, shift, Some((moments, self.clone())))
        } else {
            let running = |tensor: &Tensor| tensor.detach().to_dtype(dtype);
            let mean = running(norm.running_mean())?;
            let scale = scale((running(norm.running_var())? + norm.eps())?.sqrt()?.recip()?)?;
            let shift = bias.map_or_else(|| mean.zeros_like(), Ok)?;
            (mean, scale, shift, None)
        };
        let values = [mean, scale, shift].map(|values| values.reshape(shape.as_slice()));
        let mut parameters = Vec::with_capacity(values.len());
        for (place, values) in self.places.into_iter().zip(values) {
            parameters.push((place, values?));
        }
        let grad_input = measured.as_ref().map(|(moments, _)| moments.grad_input.clone());
        Ok(Normalised { x, parameters, grad_input, measured })
    }

    /// How the input is distributed over channels, and the shape of parameters with a value for each.
    fn channels(
        &self,
        spec: &'static Spec,
        name: &str,
        is_sequence: bool,
        x: &Tensor,
    ) -> Result<(Channels, Vec<usize>), Error> {
        let step = if is_sequence { step_dims(spec, x)? } else { x.dims() };
        let expected = self.norm.running_mean().elem_count();
        let refused =
            |dim| Error::Channels { name: name.to_owned(), expected, dim, actual: x.dims().to_vec() };
        let (time, rank) = (x.rank() - step.len(), step.len());
        let dim = time + if self.is_last { rank.max(2) - 1 } else { 1 };
        if rank < 2 || x.dims()[dim] != expected {
            return Err(refused(dim));
        }
        if x.elem_count() == 0 {
            return Err(Error::Empty { name: name.to_owned(), shape: x.dims().to_vec() });
        }
        let (before, after) = (&x.dims()[..dim], &x.dims()[dim + 1..]);
        let channels =
            Channels { outer: before.iter().product(), count: expected, inner: after.iter().product() };
        let mut shape = vec![1; after.len() + 1];
        shape[0] = expected;
        Ok((channels, shape))
    }
}

impl Normalised {
    /// For neurons that take parts of the input, one after another: candle adds up the gradients of these.
    pub fn in_parts(self) -> Self {
        Self { grad_input: None, ..self }
    }

    /// Updates the running statistics, once the neurons have been computed.
    pub fn update(&self) -> Result<(), Error> {
        let Some((moments, Norm { norm, batches, .. })) = &self.measured else { return Ok(()) };
        let momentum = match batches {
            Some(batches) => 1.0 / (batches.fetch_add(1, Ordering::Relaxed) + 1) as f64,
            None => norm.momentum(),
        };
        let all = [(norm.running_mean(), &moments.mean), (norm.running_var(), &moments.variance)];
        for (running, new) in all {
            let new = new.detach().to_dtype(running.dtype())?;
            let updated = ((running.detach() * (1.0 - momentum))? + (new * momentum)?)?;
            Var::from_tensor(running)?.set(&updated)?;
        }
        Ok(())
    }
}

/// Whether a step of `neuron` is a function of `(x - mean) * scale + shift`, by example. If it is not, gradients would be wrong.
fn transforms<N: Neuron + Clone>(neuron: &N, places: [usize; 3]) -> Result<bool, Error> {
    let values = |first: f64, step: f64| {
        let values: Vec<f64> = (0..8).map(|i| first + step * f64::from(i)).collect();
        Tensor::new(values, &Device::Cpu)
    };
    let (x, mean) = (values(-1.37, 0.41)?, values(0.53, -0.17)?);
    let (scale, shift) = (values(-0.71, 0.23)?, values(0.19, 0.11)?);
    let transformed = (((&x - &mean)? * &scale)? + &shift)?;
    let own = own_values(neuron, &x, DType::F64)?;
    let with = |replaced: [Tensor; 3]| {
        let mut parameters = own.clone();
        for (place, values) in places.into_iter().zip(replaced) {
            parameters[place] = values;
        }
        parameters
    };
    let plain = with([x.zeros_like()?, x.ones_like()?, x.zeros_like()?]);
    let states = initial_state_with(neuron, &x, &plain)?;
    let step = |x: &Tensor, parameters: &[Tensor]| {
        let (output, mut next) = step_with(neuron, Gradient::default(), &[x], &states, parameters)?;
        next.push(output);
        Ok::<Vec<f64>, Error>(Tensor::stack(&next, 0)?.flatten_all()?.to_vec1()?)
    };
    let (expected, actual) = (step(&transformed, &plain)?, step(&x, &with([mean, scale, shift]))?);
    let is_close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * (1.0 + a.abs());
    Ok(expected.iter().zip(&actual).all(is_close))
}
