//! Batch normalisation that the neurons behind it compute.

use std::sync::Arc;

use candle_core::Tensor;
use candle_nn::{BatchNormConfig, ModuleT, VarBuilder, batch_norm};
use neuron_runtime::Neuron;

use crate::call::Wanted;
use crate::history::History;
use crate::norm::{Norm, PARAMETERS};
use crate::{Error, MultiStep};

/// Batch normalisation and a layer of neurons without memory, which compute the normalised input as they read it: it is never
/// stored.
///
/// The result is that of [`candle_nn::BatchNorm`] before the neurons, up to rounding, and so are the gradients. Statistics are
/// those of a channel over batch, space and time. In training, the input is read once for these and once by the neurons.
///
/// The neuron has the parameters of the transformation, which the normalisation then determines. [`redeclare!`] adds them to a
/// neuron of `spiking-neurons`:
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use candle_nn::{BatchNormConfig, VarBuilder, VarMap};
/// use neurons_candle::{BatchNorm, Gradient, MultiStep};
///
/// neurons::redeclare! {
///     /// LIF with a normalised input.
///     pub struct NormLif: Lif {
///         array mean = 0.0;
///         learnable scale = 1.0;
///         learnable shift = 0.0;
///         input x = (x - mean) * scale + shift;
///     }
/// }
///
/// let variables = VarMap::new();
/// let vb = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
/// let lif = MultiStep::new(NormLif::default(), Gradient::default())?;
/// let layer = BatchNorm::new(lif, 16, BatchNormConfig::default(), vb.pp("bn"))?;
///
/// // [T, B, C, H, W]
/// let x_seq = Tensor::randn(0f32, 1.0, (4, 8, 16, 6, 6), &Device::Cpu)?;
/// let spike_seq = layer.forward_t(&x_seq, true)?;
/// let grads = spike_seq.mean_all()?.backward()?;
/// assert!(grads.get(&variables.data().lock().unwrap()["bn.weight"]).is_some());
/// # Ok::<(), neurons_candle::Error>(())
/// ```
///
/// Such a layer becomes a [`Node`](crate::Node), which keeps its state, by `Node::from`. The node normalises by the statistics of
/// each call in training, and by the running ones in evaluation mode.
///
/// [`redeclare!`]: https://docs.rs/spiking-neurons/latest/neurons/macro.redeclare.html
#[derive(Clone, Debug)]
pub struct BatchNorm<N> {
    pub(crate) layer: MultiStep<N>,
    pub(crate) norm: Norm,
}

impl<N: Neuron + Clone> BatchNorm<N> {
    /// Normalises the input of `layer`, of so many channels. Weight, bias and running statistics have the names in `vb` that
    /// [`candle_nn::batch_norm()`] gives them, and its initial values.
    ///
    /// Inputs are `[T, B, C, ...]`, unless [`BatchNorm::channels_last`].
    ///
    /// # Errors
    /// [`Error::NotTransformed`] for a neuron that is not declared as above; [`Error::Determined`] if the layer has values for one of
    /// these parameters; [`Error::MeanKept`] for a configuration that does not remove the mean; those of [`candle_nn::batch_norm()`].
    pub fn new(
        layer: MultiStep<N>,
        channels: usize,
        config: impl Into<BatchNormConfig>,
        vb: VarBuilder<'_>,
    ) -> Result<Self, Error> {
        let (config, neuron) = (config.into(), layer.neuron().spec().name);
        if !config.remove_mean {
            return Err(Error::MeanKept { neuron });
        }
        if let Some((name, _)) = PARAMETERS.iter().find(|(name, _)| layer.parameter(name).is_some()) {
            return Err(Error::Determined { neuron, name });
        }
        let norm = Norm::new(batch_norm(channels, config, vb)?, layer.neuron())?;
        Ok(Self { layer, norm })
    }

    /// For channels in the last dimension, `[T, B, ..., C]`.
    #[must_use]
    pub fn channels_last(mut self) -> Self {
        self.norm.is_last = true;
        self
    }

    /// Makes running statistics averages over all batches from now on, rather than exponential ones, whatever the momentum. The
    /// number of batches is not part of what a [`VarBuilder`] holds.
    #[must_use]
    pub fn cumulative(mut self) -> Self {
        self.norm.batches = Some(Arc::default());
        self
    }

    /// The normalisation, with its weight, bias and running statistics.
    pub fn norm(&self) -> &candle_nn::BatchNorm {
        &self.norm.norm
    }

    /// The neurons.
    pub fn layer(&self) -> &MultiStep<N> {
        &self.layer
    }

    /// From input `[T, ...]` to spikes or output `[T, ...]`. In training (`train`) the input is normalised by its own statistics,
    /// which also update the running ones; otherwise by the running ones. After an error these are unchanged.
    ///
    /// # Errors
    /// As [`MultiStep::forward`]; [`Error::Channels`]; [`Error::FewValues`]. On the CPU, neurons refuse statistics that are not
    /// finite.
    pub fn forward_t(&self, x_seq: &Tensor, train: bool) -> Result<Tensor, Error> {
        Ok(self.run(x_seq, None, train, false)?.0)
    }

    /// From input `[T, ...]` and states `[...]` (`None` stands for the initial states) to spikes `[T, ...]` and the states after
    /// the last step. Otherwise as [`BatchNorm::forward_t`].
    ///
    /// # Errors
    /// As [`BatchNorm::forward_t`] and [`MultiStep::forward_from`].
    pub fn forward_from_t(
        &self,
        x_seq: &Tensor,
        states: Option<&[Tensor]>,
        train: bool,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        self.run(x_seq, states, train, true)
    }

    fn run(
        &self,
        x_seq: &Tensor,
        states: Option<&[Tensor]>,
        train: bool,
        wants_next: bool,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        let normalised = self.norm.normalised(self.layer.neuron().spec(), true, x_seq, train)?;
        let wanted =
            Wanted { states: wants_next, history: Some(&mut History::default()), ..Wanted::default() };
        let results = self.layer.run(true, &[&normalised.x], states, Some(&normalised), wanted)?;
        normalised.update()?;
        Ok(results)
    }
}

impl<N: Neuron + Clone> ModuleT for BatchNorm<N> {
    fn forward_t(&self, x_seq: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        Ok(self.forward_t(x_seq, train)?)
    }
}
