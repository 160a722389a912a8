//! Candle's formats as the runtime's: how one flat buffer of states and signals is read and written.

use candle_core::WithDType;
use half::{bf16, f16};
use neuron_runtime::{BufferSpec, Class, Element, Extent, Sink, Source};

/// An element type that both candle and the runtime know.
///
/// A custom operation of candle returns one tensor, so spikes and next states share one buffer, in the
/// format of the states. For `f32` and `f64` that is the format of the spikes too and nothing is copied.
pub(crate) trait Data: Element<Real = Self::Float> + WithDType {
    /// The format of the states.
    type Float: WithDType + Default;

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

/// An array of its own, for what stays inside an operation.
pub(crate) enum Array<E: Data> {
    Signal(Vec<E>),
    State(Vec<E::Float>),
}

impl<E: Data> Array<E> {
    /// Zeros, as many as `spec` asks for.
    pub(crate) fn zeros(spec: &BufferSpec, steps: usize, neurons: usize) -> Self {
        let len = if spec.extent == Extent::Step { steps * neurons } else { neurons };
        match spec.class {
            Class::Signal => Self::Signal(vec![<E as WithDType>::from_f64(0.0); len]),
            Class::State => Self::State(vec![E::Float::default(); len]),
        }
    }

    pub(crate) fn source(&self) -> Source<'_, E> {
        match self {
            Self::Signal(values) => Source::Signal(values),
            Self::State(values) => Source::State(values),
        }
    }

    pub(crate) fn sink(&mut self) -> Sink<'_, E> {
        match self {
            Self::Signal(values) => Sink::Signal(values),
            Self::State(values) => Sink::State(values),
        }
    }
}
