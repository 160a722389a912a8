//! Tensors of PyTorch as memory: address, format, device, shape and strides.

use neurons::Format;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use smallvec::SmallVec;

use crate::dlpack::{self, DlTensor, Exchange};

/// Sizes or strides.
pub type Dims = SmallVec<[i64; 6]>;

/// A format of elements that kernels know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    Number(Format),
    /// Words of packed spikes.
    Int32,
    /// Counts.
    Int64,
    /// Workspaces, and places in windows.
    Uint8,
}

impl Dtype {
    pub fn size(self) -> usize {
        match self {
            Self::Number(format) => format.size(),
            Self::Int32 => 4,
            Self::Int64 => 8,
            Self::Uint8 => 1,
        }
    }

    /// As PyTorch calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number(Format::F32) => "torch.float32",
            Self::Number(Format::F64) => "torch.float64",
            Self::Number(Format::F16) => "torch.float16",
            Self::Number(Format::Bf16) => "torch.bfloat16",
            Self::Int32 => "torch.int32",
            Self::Int64 => "torch.int64",
            Self::Uint8 => "torch.uint8",
        }
    }

    /// By PyTorch's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|dtype| dtype.name() == name)
    }

    /// DLPack's code and bits.
    pub fn code(self) -> (u8, u8) {
        const INT: u8 = 0;
        const UINT: u8 = 1;
        const FLOAT: u8 = 2;
        const BFLOAT: u8 = 4;
        let code = match self {
            Self::Number(Format::Bf16) => BFLOAT,
            Self::Number(Format::F16 | Format::F32 | Format::F64) => FLOAT,
            Self::Int32 | Self::Int64 => INT,
            Self::Uint8 => UINT,
        };
        (code, 8 * self.size() as u8)
    }

    /// By code and bits of DLPack.
    fn of(tensor: &DlTensor) -> Option<Self> {
        Self::all().find(|dtype| tensor.lanes == 1 && dtype.code() == (tensor.code, tensor.bits))
    }

    fn all() -> impl Iterator<Item = Self> {
        Format::ALL.map(Self::Number).into_iter().chain([Self::Int32, Self::Int64, Self::Uint8])
    }
}

/// Where a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Cpu,
    Cuda(i32),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// A tensor as memory. It does not keep the tensor alive: whoever has it keeps the tensor, too.
#[derive(Debug)]
pub struct View {
    pub address: usize,
    pub dtype: Dtype,
    pub place: Place,
    pub shape: Dims,
    pub strides: Dims,
}

impl View {
    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)).product()
    }

    /// Whether its elements lie one behind the other, the last dimension innermost.
    pub fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == expected;
            expected *= size;
            fits
        }) || self.len() == 0
    }

    /// Whether `[B, C, ..]` lies in memory as `[B, .., C]`.
    pub fn has_channels_last(&self) -> bool {
        if self.shape.len() < 2 {
            return false;
        }
        let mut last = Self { shape: self.shape.clone(), strides: self.strides.clone(), ..*self };
        last.shape[1..].rotate_left(1);
        last.strides[1..].rotate_left(1);
        last.is_contiguous()
    }

    /// Refuses another format or place, and an address that is not one of the format.
    pub fn expect(&self, name: &str, dtype: Dtype, place: Place) -> PyResult<()> {
        if self.dtype != dtype {
            let (actual, expected) = (self.dtype.name(), dtype.name());
            return Err(PyTypeError::new_err(format!("`{name}` is {actual}, {expected} expected")));
        }
        if self.place != place {
            let actual = self.place;
            return Err(PyValueError::new_err(format!("`{name}` is on {actual}, {place} expected")));
        }
        if !self.address.is_multiple_of(dtype.size()) {
            return Err(PyValueError::new_err(format!("`{name}` is not aligned for {}", dtype.name())));
        }
        Ok(())
    }
}

/// How tensors are looked at: PyTorch's class, and its table if it has one.
pub struct Torch {
    class: Py<PyAny>,
    exchange: Option<Exchange>,
}

impl Torch {
    /// That of this process; PyTorch is imported if it is not yet.
    pub fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static TORCH: PyOnceLock<Torch> = PyOnceLock::new();
        TORCH.get_or_try_init(py, || {
            let class = py.import("torch")?.getattr("Tensor")?;
            // For tests of the other way, and for a PyTorch whose table misbehaves.
            let is_off = std::env::var_os("SPIKING_NEURONS_NO_DLPACK").is_some();
            let exchange = if is_off { None } else { Exchange::of(&class) };
            Ok(Self { class: class.unbind(), exchange })
        })
    }

    /// `tensor`, called `name` in messages.
    pub fn view(&self, tensor: &Bound<'_, PyAny>, name: &str) -> PyResult<View> {
        let py = tensor.py();
        if !tensor.is_instance(self.class.bind(py))? {
            let actual = tensor.get_type().name()?;
            return Err(PyTypeError::new_err(format!("`{name}` is a {actual}, torch.Tensor expected")));
        }
        let view = match &self.exchange {
            // SAFETY: it is an instance of the class.
            Some(exchange) => unsafe { exchange.describe(tensor) }
                .map_err(|error| without_memory(tensor, name, Some(error)))
                .and_then(|described| Self::described(&described, tensor, name))?,
            None => Self::asked(tensor, name)?,
        };
        if view.address == 0 && view.len() > 0 {
            return Err(without_memory(tensor, name, None));
        }
        Ok(view)
    }

    /// By the table.
    fn described(described: &DlTensor, tensor: &Bound<'_, PyAny>, name: &str) -> PyResult<View> {
        let dtype = Dtype::of(described).ok_or_else(|| wrong_dtype(tensor, name))?;
        let place = match described.device_type {
            dlpack::CPU | dlpack::CUDA_HOST => Place::Cpu,
            dlpack::CUDA => Place::Cuda(described.device_id),
            _ => return Err(wrong_device(tensor, name)),
        };
        let dims = |start: *const i64| {
            let count = usize::try_from(described.ndim).unwrap_or(0);
            if count == 0 || start.is_null() {
                return None;
            }
            // SAFETY: as many numbers as there are dimensions; they belong to the tensor, which the caller has.
            Some(Dims::from_slice(unsafe { std::slice::from_raw_parts(start, count) }))
        };
        let shape = dims(described.shape).unwrap_or_default();
        // Tables of older versions may leave them out where elements lie one behind the other.
        let strides = dims(described.strides).unwrap_or_else(|| contiguous(&shape));
        let offset = usize::try_from(described.byte_offset).unwrap_or(0);
        let address = described.data.addr() + offset;
        Ok(View { address, dtype, place, shape, strides })
    }

    /// By its attributes.
    fn asked(tensor: &Bound<'_, PyAny>, name: &str) -> PyResult<View> {
        let py = tensor.py();
        let dtype = tensor.getattr(intern!(py, "dtype"))?.str()?;
        let dtype = Dtype::parse(&dtype.to_cow()?).ok_or_else(|| wrong_dtype(tensor, name))?;
        let device = tensor.getattr(intern!(py, "device"))?;
        let place = match &*device.getattr(intern!(py, "type"))?.extract::<String>()? {
            "cpu" => Place::Cpu,
            "cuda" => Place::Cuda(device.getattr(intern!(py, "index"))?.extract()?),
            _ => return Err(wrong_device(tensor, name)),
        };
        let dims = |dims: Bound<'_, PyAny>| dims.extract::<Vec<i64>>().map(Dims::from_vec);
        Ok(View {
            address: tensor
                .call_method0(intern!(py, "data_ptr"))
                .map_err(|error| without_memory(tensor, name, Some(error)))?
                .extract()?,
            dtype,
            place,
            shape: dims(tensor.getattr(intern!(py, "shape"))?)?,
            strides: dims(tensor.call_method0(intern!(py, "stride"))?)?,
        })
    }

    /// The stream that PyTorch launches on now, on that GPU.
    #[cfg(feature = "cuda")]
    pub fn current_stream(&self, py: Python<'_>, device: i32) -> PyResult<u64> {
        match &self.exchange {
            Some(exchange) => exchange.current_stream(py, device),
            None => {
                let cuda = py.import(intern!(py, "torch"))?.getattr(intern!(py, "cuda"))?;
                let stream = cuda.call_method1(intern!(py, "current_stream"), (device,))?;
                stream.getattr(intern!(py, "cuda_stream"))?.extract()
            }
        }
    }
}

/// Strides of elements that lie one behind the other.
fn contiguous(shape: &Dims) -> Dims {
    let mut strides = Dims::from_elem(1, shape.len());
    for dim in (1..shape.len()).rev() {
        strides[dim - 1] = strides[dim] * shape[dim];
    }
    strides
}

fn without_memory(tensor: &Bound<'_, PyAny>, name: &str, cause: Option<PyErr>) -> PyErr {
    let message = format!(
        "`{name}` has no memory of its own, as a meta, fake or sparse tensor; a dense tensor expected"
    );
    let error = PyValueError::new_err(message);
    error.set_cause(tensor.py(), cause);
    error
}

fn wrong_dtype(tensor: &Bound<'_, PyAny>, name: &str) -> PyErr {
    let actual = tensor.getattr("dtype").map_or_else(|_| "of an unknown type".to_owned(), |d| d.to_string());
    PyTypeError::new_err(format!(
        "`{name}` is {actual}; neurons take torch.float32, float64, float16 and bfloat16"
    ))
}

fn wrong_device(tensor: &Bound<'_, PyAny>, name: &str) -> PyErr {
    let actual = tensor.getattr("device").map_or_else(|_| "an unknown device".to_owned(), |d| d.to_string());
    PyValueError::new_err(format!("`{name}` is on {actual}; neurons run on cpu and cuda"))
}
