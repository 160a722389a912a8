//! Neurons as layers of a network.

use candle_core::{DType, Module, Shape, Tensor};
use candle_nn::{Init, VarBuilder};
use neuron_runtime::{Device, Gradient, Neuron, OutOfRange, ParamKind};

use crate::Error;
use crate::check::{check_ranges, state_dtype, state_dtype_of, step_dims};
use crate::function::{call, initial, own_value, shared_value};
use crate::history::History;
use crate::passes::Neurons;
use crate::range::project;

/// A layer of neurons without memory: every sequence starts from the initial state.
#[derive(Clone, Debug)]
pub struct MultiStep<N> {
    neurons: Neurons<N>,
    /// Values of array parameters; `None` stands for the neuron's value.
    parameters: Vec<Option<Tensor>>,
    out_of_range: OutOfRange,
}

impl<N: Neuron + Clone> MultiStep<N> {
    /// A layer of `neuron`, differentiated as specified by `gradient`.
    ///
    /// Every parameter has the neuron's value, the same for all neurons; see [`MultiStep::learn`] and
    /// [`MultiStep::with_parameter`].
    ///
    /// # Errors
    /// A parameter of the neuron or the surrogate is out of range.
    pub fn new(neuron: N, gradient: Gradient) -> Result<Self, Error> {
        neuron.validate()?;
        gradient.surrogate.validate()?;
        let parameters = vec![None; neuron.spec().arrays().count()];
        Ok(Self {
            neurons: Neurons { neuron, gradient, device: Device::Cpu },
            parameters,
            out_of_range: OutOfRange::Refuse,
        })
    }

    /// Runs the neurons on `device`, for instance a GPU. Tensors stay on candle's CPU and are copied for each pass, so this
    /// does not need a CUDA build of candle.
    #[must_use]
    pub fn on(mut self, device: Device) -> Self {
        self.neurons.device = device;
        self
    }

    /// Sets what a call does with values of parameters that an optimiser has moved out of range: refuse them, which is the
    /// default, or move them back to the closest ones in range, in the variables themselves (projected gradient descent).
    /// Only candle's variables can be moved; other tensors out of range are refused.
    #[must_use]
    pub fn with_out_of_range(mut self, out_of_range: OutOfRange) -> Self {
        self.out_of_range = out_of_range;
        self
    }

    /// Makes the neuron's `learnable` parameters variables of `vb` under their names, except those set before by
    /// [`MultiStep::with_parameter`]. New variables are initialised with the neuron's values.
    ///
    /// Each has the given shape, which is broadcast to that of the states as in [`step_with`](crate::step_with): `()` is
    /// one value for all neurons, `(C, 1, 1)` one per channel of `[B, C, H, W]`. Has no effect on a neuron without
    /// learnable parameters.
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
    /// Those of `vb`, if a stored tensor is missing or has another shape; as [`MultiStep::with_parameter`].
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

    /// Sets the values of an array parameter. For a `learnable`, they can be a variable, or computed from variables; no
    /// gradient flows to an `array`.
    ///
    /// Shapes are as in [`step_with`](crate::step_with). Values may be in any data format, and are converted to that of the
    /// states.
    ///
    /// # Errors
    /// There is no such parameter, or it is a `param`; [`Error::UnsupportedDType`]; values are out of range, which each
    /// call checks again. Shapes are checked by the call.
    pub fn with_parameter(mut self, name: &str, values: Tensor) -> Result<Self, Error> {
        let at = self.neuron().spec().array_index(name)?;
        state_dtype_of(name, &values)?;
        self.parameters[at] = Some(values.clone());
        self.project(values.dtype())?;
        check_ranges(&self.neurons.neuron, &self.values(&values)?)?;
        Ok(self)
    }

    /// The values set for a parameter; `None` if all neurons have the value of [`MultiStep::neuron`].
    pub fn parameter(&self, name: &str) -> Option<&Tensor> {
        self.parameters[self.neuron().spec().array_index(name).ok()?].as_ref()
    }

    /// The neuron, without the parameters set by [`MultiStep::learn`] and [`MultiStep::with_parameter`].
    pub fn neuron(&self) -> &N {
        &self.neurons.neuron
    }

    /// From input `[T, ...]` to spikes or output `[T, ...]`, for neurons with one input.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step).
    pub fn forward(&self, x_seq: &Tensor) -> Result<Tensor, Error> {
        Ok(self.forward_from(x_seq, None)?.0)
    }

    /// From input `[T, ...]` and states `[...]` (`None` stands for the initial states) to spikes `[T, ...]` and the states
    /// after the last step.
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
        self.run(true, inputs, states, &mut History::default())
    }

    /// Runs a step or a sequence; `history` is that of `states`.
    pub(crate) fn run(
        &self,
        multi_step: bool,
        inputs: &[&Tensor],
        states: Option<&[Tensor]>,
        history: &mut History,
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        // Without an input there is nothing to make states or values for; the call refuses it by name.
        let Some(x) = inputs.first() else {
            return call(&self.neurons, multi_step, inputs, &[], &[], history);
        };
        self.project(x.dtype())?;
        let initial;
        let states = match states {
            Some(states) => states,
            None => {
                initial = self.initial(multi_step, x)?;
                &initial
            }
        };
        call(&self.neurons, multi_step, inputs, states, &self.values(x)?, history)
    }

    /// Moves variables out of range back, if that was asked for; for data of format `dtype`.
    fn project(&self, dtype: DType) -> Result<(), Error> {
        match self.out_of_range {
            OutOfRange::Refuse => Ok(()),
            OutOfRange::Clamp => project(&self.neurons.neuron, &self.parameters, dtype),
        }
    }

    /// The states before the first step, for `x`, the first input.
    pub(crate) fn initial(&self, multi_step: bool, x: &Tensor) -> Result<Vec<Tensor>, Error> {
        let spec = self.neuron().spec();
        let dims = if multi_step { step_dims(spec, x)? } else { x.dims() };
        let dtype = state_dtype_of(spec.inputs[0], x)?;
        initial(&self.neurons.neuron, dims, &self.values(x)?, x, dtype)
    }

    /// The values of all array parameters, in the format of the states for data like `x`.
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
