//! One network, from its first weights to the last epoch.

use anyhow::Result;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, loss};
use neuron_runtime::DeclaredNeuron;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::common::data::Digits;
use crate::common::device::Devices;
use crate::common::training::{fraction_right, learning_rate};
use crate::network::{Network, Settings, Task};

const BATCH: usize = 32;
/// The gradient of all variables together is not longer than that.
const LONGEST: f64 = 1.0;

/// How long to train, from which seed, and where.
pub struct Plan {
    pub epochs: u32,
    pub seed: u64,
    pub devices: Devices,
}

/// How a network learned.
pub struct Run {
    /// Accuracy with the digits that it is not trained with, before training and after each epoch.
    pub accuracy: Vec<f32>,
    /// Numbers that were learned.
    pub learned: usize,
}

impl Run {
    /// Accuracy in the end.
    pub fn last(&self) -> f32 {
        self.accuracy.last().copied().unwrap_or(0.0)
    }
}

/// How many updates [`train`] makes.
pub fn updates(train: &Digits, epochs: u32) -> usize {
    train.len() / BATCH * epochs as usize
}

/// Minimises the cross-entropy of the scores; calls `update` after each update, of which there are [`updates`].
pub fn train<N: DeclaredNeuron>(
    neuron: N,
    settings: Settings,
    task: Task,
    (train, test): &(Digits, Digits),
    Plan { epochs, seed, devices }: Plan,
    update: impl Fn(),
) -> Result<Run> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut network = Network::new(neuron, settings, &mut rng, &devices)?;
    let variables = network.variables()?;
    let adam = ParamsAdamW { weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut optimizer = AdamW::new(variables.clone(), adam)?;
    let (images, labels) = test.all(&devices.tensors)?;
    let mut accuracy = vec![fraction_right(&network.scores(&images, task)?, &labels)?];
    let mut done = 0;
    for _ in 0..epochs {
        for batch in train.shuffled(&mut rng).chunks_exact(BATCH) {
            let (images, labels) = train.some(batch, &devices.tensors)?;
            let loss = loss::cross_entropy(&network.scores(&images, task)?, &labels)?;
            let mut grads = loss.backward()?;
            shorten(&mut grads, &variables)?;
            let updates = updates(train, epochs) as f64;
            optimizer.set_learning_rate(learning_rate(settings.learning_rate, f64::from(done), updates));
            optimizer.step(&grads)?;
            done += 1;
            update();
        }
        accuracy.push(fraction_right(&network.scores(&images, task)?, &labels)?);
    }
    Ok(Run { accuracy, learned: variables.iter().map(|variable| variable.elem_count()).sum() })
}

/// Makes the gradient as long as [`LONGEST`] if it is longer, as usual in recurrent networks.
fn shorten(grads: &mut GradStore, variables: &[Var]) -> Result<()> {
    let mut squares = 0.0;
    for grad in variables.iter().filter_map(|variable| grads.get(variable)) {
        squares += f64::from(grad.sqr()?.sum_all()?.to_scalar::<f32>()?);
    }
    let length = squares.sqrt();
    if length > LONGEST {
        for variable in variables {
            if let Some(grad) = grads.remove(variable) {
                let shorter: Tensor = (grad * (LONGEST / length))?;
                grads.insert(variable, shorter);
            }
        }
    }
    Ok(())
}
