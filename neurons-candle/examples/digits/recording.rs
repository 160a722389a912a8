//! What the network does with one digit, as plain numbers.

use anyhow::Result;
use candle_core::Tensor;
use neurons_candle::{Gradient, Node};

use crate::common::data::{Digit, SIDE};
use crate::network::{Activity, CLASSES, Network};

/// One neuron over time.
pub struct Neuron {
    pub spikes: Vec<bool>,
    /// Membrane potential after each step.
    pub potential: Vec<f32>,
}

impl Neuron {
    /// Spikes a step.
    pub fn rate(&self) -> f32 {
        self.spikes.iter().filter(|&&spike| spike).count() as f32 / self.spikes.len() as f32
    }
}

/// Neurons in the order of the layer's dimensions: `[height, width, channels]` or flat.
pub type Layer = Vec<Neuron>;

pub struct Recording {
    pub layers: [Layer; 3],
    /// Mean score of each class up to each step.
    pub scores: Vec<[f32; CLASSES]>,
}

pub fn record(network: &Network, digit: &Digit, steps: usize) -> Result<Recording> {
    let image = Tensor::from_slice(&digit.pixels, (1, SIDE, SIDE, 1), network.device())?;
    let (activity, scores) = network.run(&image, steps)?;
    let [first, second, third] = activity;
    Ok(Recording {
        layers: [layer(network, first)?, layer(network, second)?, layer(network, third)?],
        scores: running_mean(&scores.squeeze(1)?.to_vec2()?),
    })
}

/// The layers of the network keep no potentials, so its neurons run once more, step by step.
fn layer(network: &Network, activity: Activity) -> Result<Layer> {
    let currents = activity.currents.flatten_from(1)?;
    let spikes = activity.spikes.flatten_from(1)?.t()?.to_vec2::<f32>()?;
    let mut node = Node::new(network.lif().neuron().clone(), Gradient::default())?;
    let mut potentials = vec![Vec::new(); spikes.len()];
    for t in 0..currents.dim(0)? {
        node.step(&currents.get(t)?)?;
        let Some([v]) = node.states() else { anyhow::bail!("the neuron has one state") };
        for (potential, v) in potentials.iter_mut().zip(v.to_vec1::<f32>()?) {
            potential.push(v);
        }
    }
    let spikes = spikes.into_iter().map(|spikes| spikes.into_iter().map(|spike| spike > 0.0).collect());
    let neurons = spikes.zip(potentials).map(|(spikes, potential)| Neuron { spikes, potential });
    Ok(neurons.collect())
}

fn running_mean(scores: &[Vec<f32>]) -> Vec<[f32; CLASSES]> {
    let mut sum = [0.0; CLASSES];
    let mean = |(t, scores): (usize, &Vec<f32>)| {
        sum.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
        sum.map(|sum| sum / (t + 1) as f32)
    };
    scores.iter().enumerate().map(mean).collect()
}

/// `count` of the neurons that fire at all, most active first, evenly spread over that ranking.
pub fn sample(layer: &Layer, count: usize) -> Vec<&Neuron> {
    let mut active: Vec<_> = layer.iter().filter(|neuron| neuron.rate() > 0.0).collect();
    active.sort_by(|a, b| b.rate().total_cmp(&a.rate()));
    let count = count.min(active.len());
    (0..count).map(|i| active[i * active.len() / count]).collect()
}
