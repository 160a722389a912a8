//! Membrane traces of a simulator: one neuron under constant input, step by step.

use neurons::evaluate::evaluate_on;
use neurons::{DeclaredNeuron, Device, Gradient, Izhikevich, RefractoryLif, Role, Source, Template, Value};

use super::check::{Failure, take};
use super::compare::{Quantity, quantity};
use super::file::{Metadata, Tensors};
use super::malformed::Malformed;

/// A trace as read from its file.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The model that was simulated, as the simulator calls it.
    pub model: String,
    /// Time step, ms.
    pub dt: f64,
    /// The model's parameters.
    pub params: Vec<(String, Value)>,
    /// Membrane potential after each step.
    pub v: Vec<f64>,
    /// Recovery variable after each step, if the model has one.
    pub u: Option<Vec<f64>>,
    /// When the neuron fired, ms.
    pub spike_times: Vec<f64>,
}

/// Everything that was compared; `None` if the model is not one of ours.
pub(super) fn check(trace: &Trace, device: &Device) -> Result<Option<Vec<Quantity>>, Failure> {
    match trace.model.as_str() {
        "izhikevich" => {
            let v = trace.number("V_m")?;
            let neuron = Izhikevich {
                a: trace.number("a")?,
                b: trace.number("b")?,
                d: trace.number("d")?,
                dt: trace.dt,
                v_threshold: 30.0,
                v_reset: trace.number("c")?,
                ..Izhikevich::default()
            };
            trace.run(&neuron, vec![v, trace.number("U_m")?], device).map(Some)
        }
        "iaf_psc_delta" => {
            let neuron = RefractoryLif {
                tau: trace.number("tau_m")?,
                c_m: trace.number("C_m")?,
                e_l: trace.number("E_L")?,
                t_ref: trace.number("t_ref")?,
                dt: trace.dt,
                v_threshold: trace.number("V_th")?,
                v_reset: trace.number("V_reset")?,
                ..RefractoryLif::default()
            };
            // At rest, unless the file says otherwise.
            let v = trace.optional("V_m").unwrap_or(neuron.e_l);
            trace.run(&neuron, vec![v, 0.0, 0.0], device).map(Some)
        }
        _ => Ok(None),
    }
}

impl Trace {
    /// Of the contents of a file.
    pub(super) fn new(model: &str, metadata: &Metadata<'_>, mut tensors: Tensors) -> Result<Self, Malformed> {
        let mut series = |name: &str| tensors.remove(name).map(|tensor| tensor.data);
        let v = series("v").filter(|v| !v.is_empty());
        Ok(Self {
            model: model.to_owned(),
            dt: metadata.parse("dt_ms", "a number")?,
            params: metadata.given_params()?,
            v: v.ok_or(Malformed::MissingTensor { tensor: "v".to_owned() })?,
            u: series("u"),
            spike_times: series("spike_times_ms")
                .ok_or(Malformed::MissingTensor { tensor: "spike_times_ms".to_owned() })?,
        })
    }

    fn optional(&self, name: &str) -> Option<f64> {
        self.params.iter().find_map(|(known, value)| match value {
            Value::Real(value) if known == name => Some(*value),
            _ => None,
        })
    }

    fn number(&self, name: &'static str) -> Result<f64, Malformed> {
        self.optional(name).ok_or(Malformed::MissingKey { key: name })
    }

    /// Steps the neuron from `states` on and compares every step.
    fn run<N: DeclaredNeuron>(
        &self,
        neuron: &N,
        mut states: Vec<f64>,
        device: &Device,
    ) -> Result<Vec<Quantity>, Failure> {
        let x = [self.number("I_e")?];
        let mut series = vec![Vec::new(); states.len()];
        let mut spike_times = Vec::new();
        for step in 0..self.v.len() {
            let arrays = states.iter().map(|state| Source::State(std::slice::from_ref(state)));
            let sources: Vec<Source<'_, f64>> =
                std::iter::once(Source::Signal(&x[..])).chain(arrays).collect();
            let mut outputs =
                evaluate_on(device, neuron, Template::Forward, Gradient::default(), 1, &sources)?;
            if outputs.take_signal(Role::Output).is_some_and(|spike| spike[0] == 1.0) {
                spike_times.push((step + 1) as f64 * self.dt);
            }
            let mut next = Vec::new();
            for (index, series) in series.iter_mut().enumerate() {
                let value = take(&mut outputs, Role::NextState(index))?[0];
                series.push(value);
                next.push(value);
            }
            states = next;
        }
        let mut quantities = vec![quantity("v", "forward", &series[0], &self.v, 1)];
        if let Some(u) = &self.u {
            quantities.push(quantity("u", "forward", &series[1], u, 1));
        }
        // As many spikes, at the same steps: a missing one is as far off as can be.
        let mut times = self.spike_times.clone();
        let (actual, expected) = (spike_times.len(), times.len());
        spike_times.resize(actual.max(expected), f64::NAN);
        times.resize(actual.max(expected), f64::NAN);
        if !times.is_empty() {
            quantities.push(quantity("spike_times_ms", "forward", &spike_times, &times, 1));
        }
        Ok(quantities)
    }
}
