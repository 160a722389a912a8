//! Whether neurons on a GPU spike as on the CPU.

use anyhow::{Result, ensure};
use candle_core::Device;

use crate::common::data::Digits;
use crate::network::Network;

/// Runs the network where it is, and its neurons once more on the CPU, with the currents that they got: matrix products are
/// rounded in another way there. Returns the number of spikes, all of which are the same.
pub fn same_spikes(network: &Network, digits: &Digits, steps: usize) -> Result<usize> {
    let (images, _) = digits.all(network.device())?;
    let mut count = 0;
    for (layer, activity) in network.run(&images, steps)?.0.into_iter().enumerate() {
        let expected = network.lif().forward(&activity.currents.to_device(&Device::Cpu)?)?;
        let bits = |spikes: &candle_core::Tensor| -> Result<Vec<u32>> {
            let spikes: Vec<f32> = spikes.to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?;
            Ok(spikes.into_iter().map(f32::to_bits).collect())
        };
        let (expected, actual) = (bits(&expected)?, bits(&activity.spikes)?);
        let others = expected.iter().zip(&actual).filter(|(expected, actual)| expected != actual).count();
        let all = expected.len();
        ensure!(others == 0, "layer {layer}: {others} of {all} neuron-steps differ from those on the CPU");
        count += actual.iter().filter(|spike| **spike != 0).count();
    }
    ensure!(count > 0, "no neuron fires");
    Ok(count)
}
