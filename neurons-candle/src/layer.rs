//! Neurons as layers of a network.

use candle_core::{Module, Shape, Tensor};
use candle_nn::{Init, VarBuilder};
use neuron_runtime::{Device, Gradient, Neuron, ParamKind};

use crate::Error;
use crate::check::{check_ranges, state_dtype, state_dtype_of, step_dims};
use crate::function::{call, initial, own_value, shared_value};
use crate::passes::Neurons;

/// A layer of neurons without memory: every sequence starts from the initial state.
#[derive(Clone, Debug)]
pub struct MultiStep<N> {
    neurons: Neurons<N>,
    /// Of each parameter that may differ between neurons, unless the neuron's own value is that of all.
    parameters: Vec<Option<Tensor>>,
}

impl<N: Neuron + Clone> MultiStep<N> {
    /// A layer of neurons like `neuron`, whose spikes are differentiated as `gradient` says.
    ///
    /// Every parameter has the neuron's own value, for all neurons; see [`MultiStep::learn`] and
    /// [`MultiStep::with_parameter`].
    ///
    /// # Errors
    /// A parameter of the neuron or of the surrogate out of range.
    pub fn new(neuron: N, gradient: Gradient) -> Result<Self, Error> {
        neuron.validate()?;
        gradient.surrogate.validate()?;
        let parameters = vec![None; neuron.spec().arrays().count()];
        Ok(Self { neurons: Neurons { neuron, gradient, device: Device::Cpu }, parameters })
    }

    /// Computed on `device`, a GPU for instance. Tensors stay on candle's CPU: they are copied there and back
    /// for each pass, so that this needs no CUDA build of candle.
    #[must_use]
    pub fn on(mut self, device: Device) -> Self {
        self.neurons.device = device;
        self
    }

    /// With the neuron's `learnable` parameters as variables of `vb`, by their names, but for those that were given by
    /// [`MultiStep::with_parameter`] before. A new variable begins with the neuron's own value in each element.
    ///
    /// `shape` is that of each of them, and is broadcast to the shape of the states, as in
    /// [`step_with`](crate::step_with): `()` is one value for all, `(C, 1, 1)` one for each channel of `[B, C, H, W]`.
    /// A neuron without learnable parameters is left as it is.
    ///
    /// ```
    /// # use candle_core::{DType, Device};
    /// # use candle_nn::{VarBuilder, VarMap};
    /// # use neuron_runtime::neuron;
    /// # use neurons_candle::{Gradient, MultiStep};
    /// neuron! {
    ///     /// Leaky integrate-and-fire that learns its time constant.
    ///     pub struct Plif {
    ///         learnable w = 0.0;
    ///         charge = v + (x - (v - v_reset)) * sigmoid(w);
    ///         reset hard | soft;
    ///     }
    /// }
    ///
    /// let variables = VarMap::new();
    /// let vb = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    /// let plif = MultiStep::new(Plif::default(), Gradient::default())?.learn(128, vb.pp("hidden"))?;
    /// assert_eq!(variables.data().lock().unwrap()["hidden.w"].dims(), [128]);
    /// # Ok::<(), neurons_candle::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of `vb`: a stored tensor that is missing or has another shape. As [`MultiStep::with_parameter`].
    pub fn learn(mut self, shape: impl Into<Shape>, vb: VarBuilder<'_>) -> Result<Self, Error> {
        let shape = shape.into();
        for (i, param) in self.neuron().spec().arrays().enumerate() {
            if param.kind == ParamKind::Learnable && self.parameters[i].is_none() {
                let own = Init::Const(own_value(&self.neurons.neuron, param));
                let values = vb.get_with_hints(shape.clone(), param.name, own)?;
                self = self.with_parameter(param.name, values)?;
            }
        }
        Ok(self)
    }

    /// With values of its own for a parameter that may differ between neurons: a variable, or whatever was computed from
    /// variables, if the parameter is `learnable`. No gradient flows to an `array`.
    ///
    /// Shapes are those of [`step_with`](crate::step_with), formats those of data; values are converted to the format of
    /// the states.
    ///
    /// # Errors
    /// There is no such parameter, or it is a `param`; [`Error::UnsupportedDType`]; values out of range, which each
    /// call checks again. Whether the shape fits is found out by the call.
    pub fn with_parameter(mut self, name: &str, values: Tensor) -> Result<Self, Error> {
        let at = self.neuron().spec().array_index(name)?;
        state_dtype_of(name, &values)?;
        self.parameters[at] = Some(values.clone());
        check_ranges(&self.neurons.neuron, &self.values(&values)?)?;
        Ok(self)
    }

    /// The values that were given for a parameter; `None` if all neurons have that of [`MultiStep::neuron`].
    pub fn parameter(&self, name: &str) -> Option<&Tensor> {
        self.parameters[self.neuron().spec().array_index(name).ok()?].as_ref()
    }

    /// The neuron. What was given by [`MultiStep::learn`] and [`MultiStep::with_parameter`] is not in it.
    pub fn neuron(&self) -> &N {
        &self.neurons.neuron
    }

    /// Input `[T, ...]` to spikes, or output, `[T, ...]`, for neurons with one input.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn forward(&self, x_seq: &Tensor) -> Result<Tensor, Error> {
        Ok(self.forward_from(x_seq, None)?.0)
    }

    /// Input `[T, ...]` and states `[...]`, or the initial ones, to spikes `[T, ...]` and the states after
    /// the last step.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn forward_from(
        &self,
        x_seq: &Tensor,
        states: Option<&[Tensor]>,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        self.forward_all(&[x_seq], states)
    }

    /// As [`MultiStep::forward_from`], for neurons with any number of inputs.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn forward_all(
        &self,
        inputs: &[&Tensor],
        states: Option<&[Tensor]>,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        self.run(true, inputs, states)
    }

    pub(crate) fn run(
        &self,
        multi_step: bool,
        inputs: &[&Tensor],
        states: Option<&[Tensor]>,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        // Without an input there is nothing to make states or values for; the call refuses it by name.
        let Some(x) = inputs.first() else { return call(&self.neurons, multi_step, inputs, &[], &[]) };
        let values = self.values(x)?;
        match states {
            Some(states) => call(&self.neurons, multi_step, inputs, states, &values),
            None => {
                let dims = if multi_step { step_dims(self.neuron().spec(), x)? } else { x.dims() };
                let dtype = state_dtype_of(self.neuron().spec().inputs[0], x)?;
                let states = initial(&self.neurons.neuron, dims, &values, x, dtype)?;
                call(&self.neurons, multi_step, inputs, &states, &values)
            }
        }
    }

    /// The values of all parameters that may differ between neurons, in the format of the states for data like `x`.
    fn values(&self, x: &Tensor) -> Result<Vec<Tensor>, Error> {
        let Some(dtype) = state_dtype(x.dtype()) else { return Ok(Vec::new()) };
        let value = |(param, values): (_, &Option<Tensor>)| match values {
            Some(values) => Ok(values.to_dtype(dtype)?),
            None => shared_value(&self.neurons.neuron, param, x, dtype),
        };
        self.neuron().spec().arrays().zip(&self.parameters).map(value).collect()
    }
}

impl<N: Neuron + Clone> Module for MultiStep<N> {
    fn forward(&self, x_seq: &Tensor) -> candle_core::Result<Tensor> {
        Ok(self.forward(x_seq)?)
    }
}
