//! Candle's formats as the runtime's: how one flat buffer of states and signals is read and written.

use candle_core::WithDType;
use half::{bf16, f16};
use neuron_runtime::{Element, Real};

/// An element type that both candle and the runtime know.
///
/// A custom operation of candle returns one tensor, so spikes and next states share one buffer, in the
/// format of the states. For `f32` and `f64` that is the format of the spikes too and nothing is copied.
pub(crate) trait Data: Element<Real = Self::Float> + WithDType {
    /// The format of the states.
    type Float: WithDType + Real;

    /// Lets `fill` write signals, and has them in `buffer` afterwards.
    fn write<R>(buffer: &mut [Self::Float], fill: impl FnOnce(&mut [Self]) -> R) -> R;

    /// Lets `read` see the values in `buffer` as signals.
    fn read<R>(buffer: &[Self::Float], read: impl FnOnce(&[Self]) -> R) -> R;
}

macro_rules! full_precision {
    ($($float:ty),*) => {$(
        impl Data for $float {
            type Float = Self;

            fn write<R>(buffer: &mut [Self], fill: impl FnOnce(&mut [Self]) -> R) -> R {
                fill(buffer)
            }

            fn read<R>(buffer: &[Self], read: impl FnOnce(&[Self]) -> R) -> R {
                read(buffer)
            }
        }
    )*};
}
full_precision!(f32, f64);

macro_rules! half_precision {
    ($($half:ty),*) => {$(
        impl Data for $half {
            type Float = f32;

            fn write<R>(buffer: &mut [f32], fill: impl FnOnce(&mut [Self]) -> R) -> R {
                let mut signals = vec![Self::ZERO; buffer.len()];
                let result = fill(&mut signals);
                for (float, signal) in buffer.iter_mut().zip(signals) {
                    *float = signal.to_f32();
                }
                result
            }

            fn read<R>(buffer: &[f32], read: impl FnOnce(&[Self]) -> R) -> R {
                let signals: Vec<Self> = buffer.iter().copied().map(Self::from_f32).collect();
                read(&signals)
            }
        }
    )*};
}
half_precision!(f16, bf16);
