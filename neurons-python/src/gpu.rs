//! Launches on PyTorch's GPUs, contexts and streams.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use neurons::cuda::{
    CudaDevice, CudaError, PreparedBits, PreparedCall, PreparedMaxPool, PreparedMoments, RawArray, RawCall,
    RawParameter,
};
use neurons::{Error, Format, Gradient, Neuron, Template};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smallvec::SmallVec;

use crate::arrays::{Arrays, Raw};
use crate::error::exception;
use crate::tensor::{Torch, View};

/// A template with its kernel, on one GPU.
pub struct Prepared {
    call: PreparedCall,
    /// Which of the arrays that it reads are parameters: they are the last ones.
    parameters: usize,
}

impl Prepared {
    pub fn new(
        neuron: &dyn Neuron,
        template: Template,
        format: Format,
        gradient: Gradient,
        scan: bool,
        index: usize,
    ) -> Result<Self, Error> {
        let device = device(index)?;
        let call = match format {
            Format::F32 => PreparedCall::new::<f32>(&device, neuron, template, gradient),
            Format::F64 => PreparedCall::new::<f64>(&device, neuron, template, gradient),
            Format::F16 => PreparedCall::new::<half::f16>(&device, neuron, template, gradient),
            Format::Bf16 => PreparedCall::new::<half::bf16>(&device, neuron, template, gradient),
        }?;
        let call = if scan { call.with_scan()? } else { call };
        Ok(Self { call, parameters: neuron.spec().arrays().count() })
    }

    pub fn index(&self) -> i32 {
        i32::try_from(self.call.device().index()).unwrap_or(i32::MAX)
    }

    /// Launches it on the stream that is PyTorch's current one for this GPU.
    pub fn launch(&self, py: Python<'_>, arrays: &Arrays) -> PyResult<()> {
        let (inputs, parameters) = arrays.inputs.split_at(arrays.inputs.len() - self.parameters);
        let array = |raw: &Raw| RawArray { address: raw.address as u64, len: raw.len };
        let inputs: SmallVec<[_; 12]> = inputs.iter().map(array).collect();
        let outputs: SmallVec<[_; 12]> = arrays.outputs.iter().map(array).collect();
        let parameter = |raw: &Raw| RawParameter {
            address: raw.address as u64,
            count: raw.layout.count,
            inner: raw.layout.inner,
        };
        let parameters: SmallVec<[_; 8]> = parameters.iter().map(parameter).collect();
        let torch = Torch::get(py)?;
        let stream = torch.current_stream(py, self.index())?;
        // Of PyTorch's allocator: used on this stream only, so it may be freed as soon as the launch is in the stream.
        let (bytes, mut workspace) = (self.call.workspace_bytes(arrays.neurons, &parameters), None);
        let mut kept = None;
        if bytes > 0 {
            let tensor = allocated(py, self.index(), bytes)?;
            let address = torch.view(&tensor, "workspace")?.address as u64;
            workspace = Some(RawArray { address, len: bytes });
            kept = Some(tensor);
        }
        let call = RawCall {
            steps: arrays.steps,
            neurons: arrays.neurons,
            inputs: &inputs,
            parameters: &parameters,
            outputs: &outputs,
            workspace,
            stream: Some(stream),
        };
        // SAFETY: the tensors are on this GPU, in the formats of the signature, and PyTorch does not reuse their memory
        // before the stream has got there. Plans, which have the kernels, are kept by Python; devices for ever.
        let done = py.detach(|| unsafe { self.call.launch(&call) });
        drop(kept);
        done.map_err(exception)
    }
}

/// A tensor as kernels take it.
pub fn raw(view: &View) -> RawArray {
    RawArray { address: view.address as u64, len: view.len() }
}

/// Memory of PyTorch's allocator.
pub fn allocated(py: Python<'_>, index: i32, bytes: usize) -> PyResult<Bound<'_, PyAny>> {
    let torch = py.import(intern!(py, "torch"))?;
    let options = PyDict::new(py);
    options.set_item(intern!(py, "dtype"), torch.getattr(intern!(py, "uint8"))?)?;
    let device = torch.getattr(intern!(py, "device"))?.call1(("cuda", index))?;
    options.set_item(intern!(py, "device"), device)?;
    torch.getattr(intern!(py, "empty"))?.call((bytes,), Some(&options))
}

/// The GPU of that number, in PyTorch's context. Never let go of: kernels stay loaded.
fn device(index: usize) -> Result<CudaDevice, CudaError> {
    static DEVICES: Mutex<Option<HashMap<usize, CudaDevice>>> = Mutex::new(None);
    let mut devices = DEVICES.lock().unwrap_or_else(PoisonError::into_inner);
    let devices = devices.get_or_insert_with(HashMap::new);
    if let Some(device) = devices.get(&index) {
        return Ok(device.clone());
    }
    let device = CudaDevice::borrowed(index)?;
    devices.insert(index, device.clone());
    Ok(device)
}

/// What `make` makes for a GPU and a format, once.
fn once<T: Clone>(
    all: &Mutex<Option<HashMap<(usize, Format), T>>>,
    key: (usize, Format),
    make: impl FnOnce(&CudaDevice) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_with(HashMap::new);
    if let Some(made) = all.get(&key) {
        return Ok(made.clone());
    }
    let made = make(&device(key.0)?)?;
    all.insert(key, made.clone());
    Ok(made)
}

/// The conversion between spikes and bits on that GPU; its kernels are among those of IF.
pub fn bits(index: usize, format: Format) -> Result<PreparedBits, Error> {
    static ALL: Mutex<Option<HashMap<(usize, Format), PreparedBits>>> = Mutex::new(None);
    let spec = <neurons::If as neurons::DeclaredNeuron>::SPEC;
    once(&ALL, (index, format), |device| match format {
        Format::F32 => PreparedBits::new::<f32>(device, spec),
        Format::F64 => PreparedBits::new::<f64>(device, spec),
        Format::F16 => PreparedBits::new::<half::f16>(device, spec),
        Format::Bf16 => PreparedBits::new::<half::bf16>(device, spec),
    })
}

/// Statistics of channels on that GPU.
pub fn moments(index: usize, format: Format) -> Result<PreparedMoments, Error> {
    static ALL: Mutex<Option<HashMap<(usize, Format), PreparedMoments>>> = Mutex::new(None);
    once(&ALL, (index, format), |device| {
        Ok(match format {
            Format::F32 => PreparedMoments::new::<f32>(device)?,
            Format::F64 => PreparedMoments::new::<f64>(device)?,
            Format::F16 => PreparedMoments::new::<half::f16>(device)?,
            Format::Bf16 => PreparedMoments::new::<half::bf16>(device)?,
        })
    })
}

/// Maximum pooling on that GPU.
pub fn max_pool(index: usize, format: Format) -> Result<PreparedMaxPool, Error> {
    static ALL: Mutex<Option<HashMap<(usize, Format), PreparedMaxPool>>> = Mutex::new(None);
    once(&ALL, (index, format), |device| {
        Ok(match format {
            Format::F32 => PreparedMaxPool::new::<f32>(device)?,
            Format::F64 => PreparedMaxPool::new::<f64>(device)?,
            Format::F16 => PreparedMaxPool::new::<half::f16>(device)?,
            Format::Bf16 => PreparedMaxPool::new::<half::bf16>(device)?,
        })
    })
}
