//! The states of a node: to look at, save, restore, learn and record.

use candle_core::{DType, Tensor};
use neuron_runtime::Neuron;

use crate::check::{check_count, check_dtype, check_shape, input_names, step_dims};
use crate::history::History;
use crate::norm::Normalised;
use crate::{Error, Node};

impl<N: Neuron + Clone> Node<N> {
    /// The states, in the order of [`Spec::states`](neuron_runtime::Spec::states); `None` before the first input since the
    /// last reset, unless all were set.
    pub fn states(&self) -> Option<&[Tensor]> {
        self.states.as_deref()
    }

    /// The state `name`; `None` before the first input since the last reset, unless it was set.
    ///
    /// # Errors
    /// There is no such state.
    pub fn state(&self, name: &str) -> Result<Option<&Tensor>, Error> {
        let at = self.neuron().spec().state_index(name)?;
        Ok(match &self.states {
            Some(states) => Some(&states[at]),
            None => self.set[at].as_ref(),
        })
    }

    /// Sets all states, in order. They are in the format of states, of one shape, which the next input must have, and may be
    /// variables or computed from variables: gradients flow to them.
    ///
    /// # Errors
    /// [`Error::Count`], [`Error::Shape`], [`Error::DType`], [`Error::UnsupportedState`]; the states are then unchanged.
    pub fn set_states(&mut self, states: Vec<Tensor>) -> Result<(), Error> {
        let spec = self.neuron().spec();
        let names: Vec<_> = spec.states.iter().map(|state| state.name).collect();
        check_count(spec.name, "states", &names, states.len())?;
        for (name, state) in names.into_iter().zip(&states) {
            check_state(name, state, &states[0])?;
        }
        self.states = Some(states);
        self.set.fill(None);
        self.history = History::default();
        Ok(())
    }

    /// As [`Node::set_states`], for one state; the others keep their values. Before the first input, these are their initial
    /// values.
    ///
    /// # Errors
    /// There is no such state; [`Error::Shape`], [`Error::DType`], [`Error::UnsupportedState`].
    pub fn set_state(&mut self, name: &str, values: Tensor) -> Result<(), Error> {
        let at = self.neuron().spec().state_index(name)?;
        let mut others = self.states.iter().flatten().chain(self.set.iter().flatten());
        check_state(name, &values, others.next().unwrap_or(&values))?;
        if let Some(states) = &mut self.states {
            states[at] = values.clone();
        }
        self.set[at] = Some(values);
        if self.set.iter().all(Option::is_some) {
            self.history = History::default();
        }
        Ok(())
    }

    /// As [`Node::multi_step_all`], and also returns the states `names` after every step, `[T, ...]` each, which are part of
    /// the graph: a loss may depend on them. It runs step by step, so it takes longer.
    ///
    /// # Errors
    /// As [`multi_step`](crate::multi_step); there is no such state. On an error the state stays as it was.
    pub fn multi_step_recorded(
        &mut self,
        inputs: &[&Tensor],
        names: &[&str],
    ) -> Result<(Tensor, Vec<Tensor>), Error> {
        let before = (self.states.clone(), self.set.clone(), self.history.clone());
        let result = self.record(inputs, names);
        if result.is_err() {
            (self.states, self.set, self.history) = before;
        }
        result
    }

    fn record(&mut self, inputs: &[&Tensor], names: &[&str]) -> Result<(Tensor, Vec<Tensor>), Error> {
        let spec = self.neuron().spec();
        let which = names.iter().map(|name| spec.state_index(name)).collect::<Result<Vec<_>, _>>()?;
        let input_names = input_names(spec, true);
        check_count(spec.name, "inputs", spec.inputs, inputs.len())?;
        for (name, input) in input_names.iter().zip(inputs) {
            check_shape(name, input, inputs[0].dims())?;
        }
        step_dims(spec, inputs[0])?;
        if inputs[0].elem_count() == 0 {
            let (name, shape) = (input_names[0].to_owned(), inputs[0].dims().to_vec());
            return Err(Error::Empty { name, shape });
        }
        let normalised = self.normalised(true, inputs)?.map(Normalised::in_parts);
        let inputs = normalised.as_ref().map_or(inputs.to_vec(), |normalised| vec![&normalised.x]);
        let mut outputs = Vec::new();
        let mut records = vec![Vec::new(); which.len()];
        for t in 0..inputs[0].dim(0)? {
            let rows = inputs.iter().map(|input| input.get(t)).collect::<candle_core::Result<Vec<_>>>()?;
            outputs.push(self.run_normalised(
                false,
                &rows.iter().collect::<Vec<_>>(),
                normalised.as_ref(),
            )?);
            for (record, &state) in records.iter_mut().zip(&which) {
                record.extend(self.states.as_ref().map(|states| states[state].clone()));
            }
        }
        let stack = |record: Vec<Tensor>| Tensor::stack(&record, 0);
        let records = records.into_iter().map(stack).collect::<candle_core::Result<_>>()?;
        let results = (stack(outputs)?, records);
        if let Some(normalised) = normalised {
            normalised.update()?;
        }
        Ok(results)
    }
}

/// Checks that a state is in a format of states, and like `other`.
fn check_state(name: &str, state: &Tensor, other: &Tensor) -> Result<(), Error> {
    if !matches!(state.dtype(), DType::F32 | DType::F64) {
        return Err(Error::UnsupportedState { name: name.to_owned(), actual: state.dtype() });
    }
    check_shape(name, state, other.dims())?;
    check_dtype(name, state, other.dtype())
}
