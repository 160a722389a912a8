//! The task, and the network: one recurrent layer of any neuron, and a read-out that does not fire.

use std::iter::repeat_n;

use anyhow::{Result, anyhow};
use candle_core::{DType, Tensor, Var};
use candle_nn::{VarBuilder, VarMap};
use neuron_runtime::DeclaredNeuron;
use neurons::LeakyIntegrator;
use neurons_candle::{Gradient, Node};
use rand::rngs::StdRng;

use crate::common::data::SIDE;
use crate::common::device::Devices;
use crate::common::linear::{Linear, weights};

pub const CLASSES: usize = 10;
const HIDDEN: usize = 100;
/// A pixel, and the question: 1 while it is asked.
const INPUTS: usize = 2;
/// Pixels of an image, and the steps in which they are seen.
pub const PIXELS: usize = SIDE * SIDE;
/// Steps in which the question is asked and the answer is read.
const QUESTION: usize = 6;

/// What there is to see and when: a digit row by row, a pixel a step, nothing for `delay` steps, the question.
#[derive(Clone, Copy)]
pub struct Task {
    pub delay: usize,
}

impl Task {
    pub fn steps(self) -> usize {
        self.question() + QUESTION
    }

    /// The first step of the question.
    pub fn question(self) -> usize {
        PIXELS + self.delay
    }

    /// The inputs `[B, 2]` of each step, of images `[B, 8, 8, 1]`.
    pub fn inputs(self, images: &Tensor) -> Result<Vec<Tensor>> {
        let count = images.dim(0)?;
        let pixels = images.reshape((count, PIXELS, 1))?.pad_with_zeros(2, 0, 1)?;
        let mut inputs = (0..PIXELS).map(|t| pixels.get_on_dim(1, t)).collect::<Result<Vec<_>, _>>()?;
        let nothing = Tensor::zeros((count, INPUTS), DType::F32, images.device())?;
        inputs.extend(repeat_n(nothing, self.delay));
        let question = Tensor::ones((count, 1), DType::F32, images.device())?.pad_with_zeros(1, 1, 0)?;
        inputs.extend(repeat_n(question, QUESTION));
        Ok(inputs)
    }
}

/// What is chosen, not learned.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub learning_rate: f64,
    /// Standard deviations of initial weights are the gains, divided by the root of their number.
    pub input_gain: f64,
    pub recurrent_gain: f64,
    /// Time constant of the membrane in steps. What PLIF and ALIF learn starts from it, and from the two below.
    pub tau: f64,
    /// Time constant of the threshold, in steps; of ALIF only, as is the next.
    pub tau_a: f64,
    /// How much a spike raises the threshold.
    pub beta: f64,
}

pub struct Network<N> {
    input: Linear,
    recurrent: Var,
    readout: Linear,
    hidden: Node<N>,
    /// What the neurons learn besides weights.
    parameters: VarMap,
    scores: Node<LeakyIntegrator>,
}

impl<N: DeclaredNeuron> Network<N> {
    pub fn new(
        neuron: N,
        settings: Settings,
        rng: &mut StdRng,
        Devices { tensors: device, neurons }: &Devices,
    ) -> Result<Self> {
        let parameters = VarMap::new();
        let vb = VarBuilder::from_varmap(&parameters, DType::F32, device);
        let integrator = LeakyIntegrator { tau: 3.0, ..LeakyIntegrator::default() };
        Ok(Self {
            input: Linear::new(INPUTS, HIDDEN, settings.input_gain as f32, rng, device)?,
            recurrent: weights(HIDDEN, HIDDEN, settings.recurrent_gain as f32, rng, device)?,
            readout: Linear::new(HIDDEN, CLASSES, 1.0, rng, device)?,
            hidden: Node::new(neuron, Gradient::default())?.on(neurons.clone()).learn(HIDDEN, vb)?,
            parameters,
            scores: Node::new(integrator, Gradient::default())?.on(neurons.clone()),
        })
    }

    /// What there is to learn: weights, and parameters of the neurons. Always in the same order, so that rounding of
    /// what is added up over all is the same.
    pub fn variables(&self) -> Result<Vec<Var>> {
        let mut variables = vec![self.recurrent.clone()];
        variables.extend(self.input.variables().into_iter().chain(self.readout.variables()));
        let parameters = self.parameters.data().lock().map_err(|_| anyhow!("a thread panicked"))?;
        let learned = N::SPEC.learnables().filter_map(|param| parameters.get(param.name).cloned());
        variables.extend(learned);
        Ok(variables)
    }

    /// Class scores `[B, 10]` of images `[B, 8, 8, 1]`: the mean over the steps of the question.
    pub fn scores(&mut self, images: &Tensor, task: Task) -> Result<Tensor> {
        self.hidden.reset();
        self.scores.reset();
        let (mut spikes, mut scores): (Option<Tensor>, _) = (None, Vec::with_capacity(QUESTION));
        for (t, x) in task.inputs(images)?.iter().enumerate() {
            let mut current = self.input.forward(x)?;
            if let Some(spikes) = &spikes {
                current = (current + spikes.matmul(&self.recurrent)?)?;
            }
            let fired = self.hidden.step(&current)?;
            if t >= task.question() {
                scores.push(self.scores.step(&self.readout.forward(&fired)?)?);
            }
            spikes = Some(fired);
        }
        Ok(Tensor::stack(&scores, 0)?.mean(0)?)
    }
}
