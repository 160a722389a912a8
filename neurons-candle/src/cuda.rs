//! Templates on candle's GPU tensors: on candle's stream and in its memory, without copies and without waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, CudaStream, DevicePtr, DevicePtrMut, DeviceRepr, SyncOnDrop,
};
use candle_core::cuda_backend::{CudaDType, CudaDevice};
use candle_core::{CudaStorage, DType, Error as CandleError, Layout, Storage, WithDType};
use half::{bf16, f16};
use neuron_runtime::cuda::{CudaDevice as Gpu, PreparedCall, RawArray, RawCall, RawParameter};
use neuron_runtime::{Element, Format, Kind, Neuron, Spec, Template};

use crate::Error;
use crate::launch::{Block, Launch, Neurons, Place};

/// The kernels that a layer has used, by GPU. Shared by its clones, which are the same neuron.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kernels(Arc<Mutex<HashMap<Key, PreparedCall>>>);

/// The index of a GPU, and what runs there.
type Key = (usize, Template, Format);

/// Memory of a block.
enum Memory<E: Element> {
    Signals(CudaSlice<E>),
    Reals(CudaSlice<E::Real>),
    Nothing,
}

pub(crate) fn run<N: Neuron>(
    neurons: &Neurons<N>,
    launch: &Launch<'_>,
    device: &CudaDevice,
) -> Result<Vec<Option<Storage>>, Error> {
    match launch.pass.dtype {
        DType::F32 => run_as::<N, f32>(neurons, launch, device),
        DType::F64 => run_as::<N, f64>(neurons, launch, device),
        DType::F16 => run_as::<N, f16>(neurons, launch, device),
        DType::BF16 => run_as::<N, bf16>(neurons, launch, device),
        other => Err(CandleError::UnsupportedDTypeForOp(other, launch.spec.name).into()),
    }
}

fn run_as<N: Neuron, E: Element + Number>(
    neurons: &Neurons<N>,
    launch: &Launch<'_>,
    device: &CudaDevice,
) -> Result<Vec<Option<Storage>>, Error>
where
    E::Real: Number,
{
    let stream = device.cuda_stream();
    let prepared = neurons.kernels.get::<N, E>(neurons, launch.template, stream.context().ordinal())?;
    let spec = launch.spec;
    // That of a neuron written by hand may be another one each time, with arrays of other formats.
    if !std::ptr::eq(prepared.spec(), spec) {
        return Err(changed(spec));
    }
    let signature = spec.signature(launch.template);

    let read: Vec<_> =
        launch.inputs.iter().map(|tensor| tensor.map(|tensor| tensor.storage_and_layout())).collect();
    let mut blocks = Vec::with_capacity(launch.blocks.len());
    for block in &launch.blocks {
        blocks.push(Memory::<E>::allocate(device, block)?);
    }
    let unplaced = |layout: &neuron_runtime::Layout| RawParameter {
        address: 0,
        count: layout.count,
        inner: layout.inner,
    };
    let mut parameters: Vec<RawParameter> = launch.pass.layouts.iter().map(unplaced).collect();
    let bytes = prepared.workspace_bytes(launch.pass.count, &parameters);
    // SAFETY: the kernels write it before they read it.
    let mut workspace = if bytes > 0 { Some(unsafe { device.alloc::<u8>(bytes) }?) } else { None };

    // Dropped after the launch, which candle then orders with work on other streams.
    let mut guards = Vec::new();
    let (mut inputs, mut placed) = (Vec::new(), parameters.iter_mut().peekable());
    for (buffer, read) in signature.inputs.iter().zip(&read) {
        let Some((storage, layout)) = read else {
            inputs.push(RawArray::ABSENT);
            continue;
        };
        let array = match buffer.kind() {
            Kind::Signal => array::<E>(storage, layout, &stream, &mut guards)?,
            Kind::State | Kind::Parameter | Kind::Bits => {
                array::<E::Real>(storage, layout, &stream, &mut guards)?
            }
        };
        match placed.next_if(|parameter| buffer.kind() == Kind::Parameter && parameter.count == array.len) {
            Some(parameter) => parameter.address = array.address,
            None => inputs.push(array),
        }
    }
    if placed.next().is_some() {
        return Err(changed(spec));
    }
    // Where the next result in each block goes.
    let mut next = Vec::with_capacity(blocks.len());
    for block in &mut blocks {
        next.push(block.address(&stream, &mut guards));
    }
    let output = |place: &Option<Place>| {
        let Some(Place { block, len }) = *place else { return RawArray::ABSENT };
        let size = if launch.blocks[block].is_signal { size_of::<E>() } else { size_of::<E::Real>() };
        let address = next[block];
        next[block] += (len * size) as u64;
        RawArray { address, len }
    };
    let outputs: Vec<RawArray> = launch.outputs.iter().map(output).collect();
    let workspace = workspace.as_mut().map(|memory| {
        let (address, guard) = memory.device_ptr_mut(&stream);
        guards.push(guard);
        RawArray { address, len: bytes }
    });
    let call = RawCall {
        steps: launch.pass.steps,
        neurons: launch.pass.count,
        inputs: &inputs,
        parameters: &parameters,
        outputs: &outputs,
        workspace,
        stream: Some(stream.cu_stream() as u64),
    };
    // SAFETY: the tensors are on this GPU, in its primary context, contiguous, and in the formats of the signature; parameters
    // have the shapes that their layouts were derived from. Results and workspace were allocated for the call. All memory is
    // freed in the order of the stream, and `gpu` never drops a device.
    let done = unsafe { prepared.launch(&call) };
    drop(guards);
    done?;
    Ok(blocks.into_iter().map(|block| block.storage(device)).collect())
}

fn changed(spec: &'static Spec) -> Error {
    CandleError::Msg(format!("{}: the specification changed during the call", spec.name)).into()
}

/// A format that both candle and the runtime know.
pub(crate) trait Number: CudaDType + DeviceRepr + WithDType {}

impl<T: CudaDType + DeviceRepr + WithDType> Number for T {}

impl<E: Element + Number> Memory<E>
where
    E::Real: Number,
{
    fn allocate(device: &CudaDevice, block: &Block) -> Result<Self, CandleError> {
        // SAFETY: the kernels write all of it.
        unsafe {
            Ok(match block {
                Block { len: 0, .. } => Self::Nothing,
                Block { is_signal: true, len } => Self::Signals(device.alloc(*len)?),
                Block { is_signal: false, len } => Self::Reals(device.alloc(*len)?),
            })
        }
    }

    fn address<'a>(&'a mut self, stream: &'a CudaStream, guards: &mut Vec<SyncOnDrop<'a>>) -> u64 {
        let (address, guard) = match self {
            Self::Signals(memory) => memory.device_ptr_mut(stream),
            Self::Reals(memory) => memory.device_ptr_mut(stream),
            Self::Nothing => return 0,
        };
        guards.push(guard);
        address
    }

    fn storage(self, device: &CudaDevice) -> Option<Storage> {
        let device = device.clone();
        match self {
            Self::Signals(memory) => Some(Storage::Cuda(CudaStorage::wrap_cuda_slice(memory, device))),
            Self::Reals(memory) => Some(Storage::Cuda(CudaStorage::wrap_cuda_slice(memory, device))),
            Self::Nothing => None,
        }
    }
}

/// A contiguous tensor as memory.
fn array<'a, T: Number>(
    storage: &'a Storage,
    layout: &Layout,
    stream: &'a CudaStream,
    guards: &mut Vec<SyncOnDrop<'a>>,
) -> Result<RawArray, CandleError> {
    let Storage::Cuda(storage) = storage else {
        return Err(CandleError::Msg(format!("expected a tensor on a GPU, found {storage:?}")));
    };
    raw_array::<T>(storage, layout, stream, guards)
}

pub(crate) fn raw_array<'a, T: Number>(
    storage: &'a CudaStorage,
    layout: &Layout,
    stream: &'a CudaStream,
    guards: &mut Vec<SyncOnDrop<'a>>,
) -> Result<RawArray, CandleError> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        return Err(CandleError::RequiresContiguous { op: "neuron" });
    };
    let (address, guard) = storage.as_cuda_slice::<T>()?.device_ptr(stream);
    guards.push(guard);
    Ok(RawArray { address: address + (start * size_of::<T>()) as u64, len: end - start })
}

impl Kernels {
    /// Looked up at first use.
    fn get<N: Neuron, E: Element>(
        &self,
        neurons: &Neurons<N>,
        template: Template,
        index: usize,
    ) -> Result<PreparedCall, Error> {
        let key = (index, template, E::FORMAT);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = all.get(&key) {
            return Ok(prepared.clone());
        }
        let prepared = PreparedCall::new::<E>(&gpu(index)?, &neurons.neuron, template, neurons.gradient)?;
        all.insert(key, prepared.clone());
        Ok(prepared)
    }
}

/// The GPU of that index, in the context that candle uses. Never dropped, so that kernels stay loaded.
pub(crate) fn gpu(index: usize) -> Result<Gpu, neuron_runtime::Error> {
    static GPUS: Mutex<Option<HashMap<usize, Gpu>>> = Mutex::new(None);
    let mut gpus = GPUS.lock().unwrap_or_else(PoisonError::into_inner);
    let gpus = gpus.get_or_insert_with(HashMap::new);
    if let Some(gpu) = gpus.get(&index) {
        return Ok(gpu.clone());
    }
    let gpu = Gpu::borrowed(index)?;
    gpus.insert(index, gpu.clone());
    Ok(gpu)
}
