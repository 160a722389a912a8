//! Templates on candle's CPU tensors.

use candle_core::{CpuStorage, DType, Error as CandleError, Layout, Storage, WithDType};
use half::{bf16, f16};
use neuron_runtime::{Call, Element, Kind, Neuron, Parameter, Real, Sink, Source};

use crate::Error;
use crate::launch::{Launch, Neurons};

/// Memory of a block.
enum Memory<E: Element> {
    Signals(Vec<E>),
    Reals(Vec<E::Real>),
}

/// What is left of a block.
enum Rest<'a, E: Element> {
    Signals(&'a mut [E]),
    Reals(&'a mut [E::Real]),
}

impl<E: Element> Memory<E> {
    fn rest(&mut self) -> Rest<'_, E> {
        match self {
            Self::Signals(values) => Rest::Signals(values),
            Self::Reals(values) => Rest::Reals(values),
        }
    }
}

pub(crate) fn run<N: Neuron>(
    neurons: &Neurons<N>,
    launch: &Launch<'_>,
) -> Result<Vec<Option<Storage>>, Error> {
    match launch.pass.dtype {
        DType::F32 => run_as::<N, f32>(neurons, launch),
        DType::F64 => run_as::<N, f64>(neurons, launch),
        DType::F16 => run_as::<N, f16>(neurons, launch),
        DType::BF16 => run_as::<N, bf16>(neurons, launch),
        other => Err(CandleError::UnsupportedDTypeForOp(other, launch.spec.name).into()),
    }
}

fn run_as<N: Neuron, E: Element + WithDType>(
    neurons: &Neurons<N>,
    launch: &Launch<'_>,
) -> Result<Vec<Option<Storage>>, Error>
where
    E::Real: WithDType + Real,
{
    let signature = launch.spec.signature(launch.template);
    let read: Vec<_> =
        launch.inputs.iter().map(|tensor| tensor.map(|tensor| tensor.storage_and_layout())).collect();
    let mut layouts = launch.pass.layouts.iter();
    let mut sources: Vec<Source<'_, E>> = Vec::with_capacity(read.len());
    for (buffer, read) in signature.inputs.iter().zip(&read) {
        let read = read.as_ref().map(|(storage, layout)| (&**storage, *layout));
        sources.push(match buffer.kind() {
            Kind::Signal => Source::Signal(elements(read)?),
            // No template reads bits.
            Kind::State | Kind::Bits => Source::State(elements(read)?),
            Kind::Parameter => {
                let inner = layouts.next().map_or(1, |layout| layout.inner);
                Source::Parameter(Parameter::per_channel(elements(read)?, inner))
            }
        });
    }
    let memory = |block: &crate::launch::Block| match block.is_signal {
        true => Memory::Signals(vec![E::zero(); block.len]),
        false => Memory::Reals(vec![<E::Real as WithDType>::from_f64(0.0); block.len]),
    };
    let mut blocks: Vec<Memory<E>> = launch.blocks.iter().map(memory).collect();
    let mut rests: Vec<Rest<'_, E>> = blocks.iter_mut().map(Memory::rest).collect();
    let mut sinks = Vec::with_capacity(launch.outputs.len());
    for (buffer, place) in signature.outputs.iter().zip(&launch.outputs) {
        let (mut signals, mut reals): (&mut [E], &mut [E::Real]) = (&mut [], &mut []);
        if let Some(place) = place {
            match &mut rests[place.block] {
                Rest::Signals(rest) => signals = first(rest, place.len),
                Rest::Reals(rest) => reals = first(rest, place.len),
            }
        }
        sinks.push(match buffer.kind() {
            Kind::Signal => Sink::Signal(signals),
            Kind::Parameter => Sink::Parameter(reals),
            // Templates that write bits are not called.
            Kind::State | Kind::Bits => Sink::State(reals),
        });
    }
    let call = Call {
        template: launch.template,
        neurons: launch.pass.count,
        gradient: neurons.gradient,
        inputs: &sources,
        outputs: &mut sinks,
    };
    neurons.device.run(&neurons.neuron, call)?;
    let storage = |block| match block {
        Memory::Signals(values) if !values.is_empty() => Some(Storage::Cpu(E::to_cpu_storage_owned(values))),
        Memory::Reals(values) if !values.is_empty() => {
            Some(Storage::Cpu(E::Real::to_cpu_storage_owned(values)))
        }
        Memory::Signals(_) | Memory::Reals(_) => None,
    };
    Ok(blocks.into_iter().map(storage).collect())
}

/// Takes the first `len` elements.
fn first<'a, T>(rest: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (first, others) = std::mem::take(rest).split_at_mut(len);
    *rest = others;
    first
}

/// The elements of a tensor; none if it is left out.
fn elements<'a, T: WithDType>(tensor: Option<(&'a Storage, &Layout)>) -> Result<&'a [T], CandleError> {
    match tensor {
        None => Ok(&[]),
        Some((Storage::Cpu(storage), layout)) => slice(storage, layout),
        Some((other, _)) => Err(CandleError::Msg(format!("expected a tensor on the CPU, found {other:?}"))),
    }
}

/// The elements of a contiguous tensor.
pub(crate) fn slice<'a, T: WithDType>(
    storage: &'a CpuStorage,
    layout: &Layout,
) -> Result<&'a [T], CandleError> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        return Err(CandleError::RequiresContiguous { op: "neuron" });
    };
    Ok(&T::cpu_storage_as_slice(storage)?[start..end])
}
