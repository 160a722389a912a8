//! One prepared call: checks of its tensors, then the kernel.

use neurons::evaluate::Mode;
use neurons::{BufferSpec, Error, Extent, Format, Gradient, Layout, Neuron, Role, Signature, Template};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smallvec::SmallVec;

use crate::arrays::{Arrays, Raw};
use crate::error::exception;
#[cfg(feature = "cuda")]
use crate::gpu::Prepared;
use crate::layout::{Order, in_order, is_time_major, order, same, without_time};
use crate::tensor::{Dims, Dtype, Place, Torch, View};

/// What a plan runs on.
pub enum Target {
    Cpu,
    #[cfg(feature = "cuda")]
    Cuda(Box<Prepared>),
}

impl Target {
    pub fn new(
        neuron: &dyn Neuron,
        template: Template,
        format: Format,
        gradient: Gradient,
        scan: bool,
        mode: Mode,
        device: i32,
    ) -> PyResult<Self> {
        let Ok(index) = usize::try_from(device) else { return Ok(Self::Cpu) };
        if mode == Mode::Relaxed {
            return Err(PyValueError::new_err("the relaxed model runs on the CPU only"));
        }
        #[cfg(feature = "cuda")]
        return Prepared::new(neuron, template, format, gradient, scan, index)
            .map(|prepared| Self::Cuda(Box::new(prepared)))
            .map_err(exception);
        #[cfg(not(feature = "cuda"))]
        {
            let _ = (neuron, template, format, gradient, scan);
            let message = format!("cuda:{index}: this build of spiking-neurons is without CUDA");
            Err(pyo3::exceptions::PyRuntimeError::new_err(message))
        }
    }

    fn place(&self) -> Place {
        match self {
            Self::Cpu => Place::Cpu,
            #[cfg(feature = "cuda")]
            Self::Cuda(prepared) => Place::Cuda(prepared.index()),
        }
    }
}

/// One template of a neuron with its parameters and surrogate, prepared for data of one format on one device.
///
/// Called with tensors in the order of `inputs`, then `outputs`: it checks all of them, and computes, or launches on the
/// current stream of PyTorch, only if nothing is wrong. `None` stands for arrays that the template can do without: states that
/// start at their initial values, final states and gradients of initial states that nobody wants, gradients of final states that
/// are zero, and checkpoints without rows, for up to 8 steps.
#[pyclass(frozen, module = "spiking_neurons._core")]
pub struct Plan {
    pub neuron: Box<dyn Neuron>,
    pub signature: &'static Signature,
    pub gradient: Gradient,
    pub format: Format,
    pub mode: Mode,
    /// Whether arrays of a value a step have a dimension for time.
    pub sequence: bool,
    pub target: Target,
}

#[pymethods]
impl Plan {
    /// Roles of the tensors that it reads, each with its index: `("state", 0)`.
    #[getter]
    fn inputs(&self) -> Vec<(&'static str, usize)> {
        self.signature.inputs.iter().map(role).collect()
    }

    /// Roles of the tensors that it writes.
    #[getter]
    fn outputs(&self) -> Vec<(&'static str, usize)> {
        self.signature.outputs.iter().map(role).collect()
    }

    #[pyo3(signature = (*tensors))]
    fn __call__(&self, py: Python<'_>, tensors: &Bound<'_, PyTuple>) -> PyResult<()> {
        let arrays = self.check(py, tensors)?;
        match &self.target {
            Target::Cpu => self.run_on_cpu(py, &arrays),
            #[cfg(feature = "cuda")]
            Target::Cuda(prepared) => prepared.launch(py, &arrays),
        }
    }

    fn __repr__(&self) -> String {
        let Self { neuron, signature, format, target, .. } = self;
        format!(
            "<Plan {} {} {} on {}>",
            neuron.spec().name,
            signature.template,
            format.name(),
            target.place()
        )
    }
}

impl Plan {
    /// Every tensor as memory, if all fit the signature and each other.
    fn check(&self, py: Python<'_>, tensors: &Bound<'_, PyTuple>) -> PyResult<Arrays> {
        let &Signature { inputs, outputs, .. } = self.signature;
        let expected = inputs.len() + outputs.len();
        if tensors.len() != expected {
            let actual = tensors.len();
            return Err(PyTypeError::new_err(
                self.message(format_args!("{actual} tensors given, {expected} expected")),
            ));
        }
        let torch = Torch::get(py)?;
        let first = torch.view(&tensors.get_item(0)?, inputs[0].name)?;
        let geometry = Geometry::of(self, &first, &inputs[0])?;
        for (what, size) in [("T", geometry.steps), ("N", geometry.neurons)] {
            if size == 0 {
                let (neuron, template) = (self.neuron.spec().name, self.signature.template);
                return Err(exception(Error::Empty { neuron, template, what }));
            }
        }
        let mut raw: SmallVec<[Raw; 12]> = SmallVec::new();
        let mut parameters: SmallVec<[usize; 8]> = SmallVec::new();
        for (place, (tensor, buffer)) in tensors.iter_borrowed().zip(inputs.iter().chain(outputs)).enumerate()
        {
            let has_no_rows = buffer.extent == Extent::Checkpoint && geometry.rows(buffer) == 0;
            if tensor.is_none() && (has_no_rows || buffer.absent().is_some()) {
                raw.push(Raw::EMPTY);
                continue;
            }
            let view = torch.view(&tensor, buffer.name)?;
            self.check_memory(&view, buffer)?;
            let array = geometry.place(self, &view, buffer)?;
            if let Role::Param(_) = buffer.role {
                parameters.push(array.len);
            }
            self.check_overlap(&raw, inputs.len(), place, &array, buffer)?;
            raw.push(array);
        }
        let outputs = raw.drain(inputs.len()..).collect();
        Ok(Arrays { steps: geometry.steps, neurons: geometry.neurons, inputs: raw, outputs })
    }

    fn check_memory(&self, view: &View, buffer: &BufferSpec) -> PyResult<()> {
        let name = buffer.name;
        let expected = match buffer.class {
            neurons::Class::Signal => Dtype::Number(self.format),
            neurons::Class::State => Dtype::Number(self.format.arithmetic()),
            neurons::Class::Bits => Dtype::Int32,
        };
        if view.dtype != expected {
            let (actual, expected) = (view.dtype.name(), expected.name());
            return Err(PyTypeError::new_err(
                self.message(format_args!("`{name}` is {actual}, {expected} expected")),
            ));
        }
        let place = self.target.place();
        if view.place != place {
            let actual = view.place;
            return Err(self.value_error(format_args!("`{name}` is on {actual}, {place} expected")));
        }
        if !view.address.is_multiple_of(expected.size()) {
            return Err(self.value_error(format_args!("`{name}` is not aligned for {}", expected.name())));
        }
        Ok(())
    }

    /// What is written must not lie on anything else.
    fn check_overlap(
        &self,
        before: &[Raw],
        inputs: usize,
        place: usize,
        array: &Raw,
        buffer: &BufferSpec,
    ) -> PyResult<()> {
        if place < inputs {
            return Ok(());
        }
        let buffers = || self.signature.inputs.iter().chain(self.signature.outputs);
        match before.iter().zip(buffers()).find(|(other, _)| other.overlaps(array)) {
            None => Ok(()),
            Some((_, other)) => {
                let (name, other) = (buffer.name, other.name);
                Err(self.value_error(format_args!("`{name}` is written, and shares memory with `{other}`")))
            }
        }
    }

    fn run_on_cpu(&self, py: Python<'_>, arrays: &Arrays) -> PyResult<()> {
        let run = || {
            // SAFETY: tensors are alive while the caller has them, have been checked, and do not overlap where they are
            // written. That no other thread writes to them meanwhile is up to the program, as with any operation of PyTorch.
            unsafe {
                match self.format {
                    Format::F32 => arrays.run::<f32>(self),
                    Format::F64 => arrays.run::<f64>(self),
                    Format::F16 => arrays.run::<half::f16>(self),
                    Format::Bf16 => arrays.run::<half::bf16>(self),
                }
            }
        };
        let done = if arrays.is_small(self) {
            py.detach(run)
        } else {
            let pool = crate::threads::pool(py)?;
            py.detach(|| pool.install(run))
        };
        done.map_err(exception)
    }

    pub fn message(&self, what: std::fmt::Arguments<'_>) -> String {
        format!("{} {}: {what}", self.neuron.spec().name, self.signature.template)
    }

    fn value_error(&self, what: std::fmt::Arguments<'_>) -> PyErr {
        PyValueError::new_err(self.message(what))
    }
}

/// Shape and order in memory that all tensors of a call have in common.
struct Geometry<'a> {
    steps: usize,
    neurons: usize,
    dims: &'a [i64],
    strides: &'a [i64],
    order: Order,
}

impl<'a> Geometry<'a> {
    /// From the first tensor.
    fn of(plan: &Plan, view: &'a View, buffer: &BufferSpec) -> PyResult<Self> {
        let name = buffer.name;
        let has_time = plan.sequence && buffer.extent == Extent::Step;
        if has_time && view.shape.is_empty() {
            return Err(
                plan.value_error(format_args!("`{name}` has no dimension for time, [T, ...] expected"))
            );
        }
        let (dims, strides) = if has_time {
            (without_time(&view.shape), without_time(&view.strides))
        } else {
            (&view.shape[..], &view.strides[..])
        };
        let order = match order(dims, strides) {
            Some(order) if is_time_major(view, has_time) => order,
            // Refused for that.
            _ if view.len() == 0 => Order::new(),
            _ => {
                let strides = &view.strides;
                return Err(plan.value_error(format_args!(
                    "`{name}` has strides {strides:?}; elements without gaps{} expected, as after `.contiguous()`",
                    if has_time { ", and time outermost," } else { "" }
                )));
            }
        };
        let size = |size: i64| usize::try_from(size).unwrap_or(0);
        let neurons = dims.iter().map(|&dim| size(dim)).product();
        let steps = if has_time { size(view.shape[0]) } else { 1 };
        Ok(Self { steps, neurons, dims, strides, order })
    }

    fn rows(&self, buffer: &BufferSpec) -> usize {
        buffer.extent.rows(self.steps).unwrap_or(0)
    }

    /// A tensor as memory, if it fits.
    fn place(&self, plan: &Plan, view: &View, buffer: &BufferSpec) -> PyResult<Raw> {
        let len = view.len();
        let raw = Raw { address: view.address, len, bytes: len * view.dtype.size(), layout: Layout::SHARED };
        let name = buffer.name;
        if buffer.extent == Extent::Parameter {
            if !view.is_contiguous() {
                return Err(plan.value_error(format_args!("`{name}` is not contiguous")));
            }
            return match buffer.role {
                Role::Param(_) => Ok(Raw { layout: self.layout(plan, view, name)?, ..raw }),
                _ => Ok(raw),
            };
        }
        let has_time = match buffer.extent {
            Extent::Step => plan.sequence,
            Extent::Checkpoint => true,
            _ => false,
        };
        let rows = i64::try_from(self.rows(buffer)).unwrap_or(i64::MAX);
        if buffer.class == neurons::Class::Bits {
            let words = i64::try_from(buffer.class.columns(self.neurons)).unwrap_or(i64::MAX);
            if view.shape[..] != [rows, words] || !view.is_contiguous() {
                return Err(self.misfit(plan, view, name, &Dims::from_slice(&[rows, words])));
            }
            return Ok(raw);
        }
        let (lead, dims, strides) = if has_time {
            (view.shape.first().copied(), without_time(&view.shape), without_time(&view.strides))
        } else {
            (None, &view.shape[..], &view.strides[..])
        };
        let fits = dims == self.dims && lead.is_none_or(|lead| lead == rows) && (!has_time || lead.is_some());
        if !fits {
            let lead = has_time.then_some(rows);
            return Err(self.misfit(plan, view, name, &lead.iter().chain(self.dims).copied().collect()));
        }
        let is_time_major = !has_time || rows <= 1 || usize::try_from(view.strides[0]) == Ok(self.neurons);
        if len > 0 && !(is_time_major && same(self.dims, strides, self.strides)) {
            let (actual, expected) = (&view.strides, self.strides);
            return Err(plan.value_error(format_args!(
                "`{name}` has strides {actual:?}; those of a step are {expected:?}, with time outermost"
            )));
        }
        Ok(raw)
    }

    /// How a parameter is distributed over neurons, which are in the order of memory.
    fn layout(&self, plan: &Plan, view: &View, name: &str) -> PyResult<Layout> {
        let refused = || {
            let (shape, dims) = (&view.shape, self.dims);
            plan.value_error(format_args!(
                "parameter `{name}` has shape {shape:?}, which does not broadcast to {dims:?} in this order of memory by \
                 repeating outer and inner dimensions"
            ))
        };
        if view.shape.len() > self.dims.len() {
            return if view.len() == 1 { Ok(Layout::SHARED) } else { Err(refused()) };
        }
        let dims = in_order(&self.order, self.dims, self.dims.len());
        let shape = in_order(&self.order, &view.shape, self.dims.len());
        if shape.iter().product::<usize>() != view.len() {
            return Err(refused());
        }
        // Of several dimensions that vary, elements have to be in the same order as neurons.
        let varying: SmallVec<[usize; 6]> = self
            .order
            .iter()
            .copied()
            .zip(&shape)
            .filter(|(_, size)| **size != 1)
            .map(|(dim, _)| dim)
            .collect();
        if !varying.is_sorted() {
            return Err(refused());
        }
        Layout::broadcast(&shape, &dims).ok_or_else(refused)
    }

    fn misfit(&self, plan: &Plan, view: &View, name: &str, expected: &Dims) -> PyErr {
        let actual = &view.shape;
        plan.value_error(format_args!("`{name}` has shape {actual:?}, {expected:?} expected"))
    }
}

/// What a tensor is to the neuron.
fn role(buffer: &BufferSpec) -> (&'static str, usize) {
    match buffer.role {
        Role::Input(index) => ("input", index),
        Role::GradInput(index) => ("grad_input", index),
        Role::Output => ("output", 0),
        Role::GradOutput => ("grad_output", 0),
        Role::State(index) => ("state", index),
        Role::GradState(index) => ("grad_state", index),
        Role::NextState(index) => ("next_state", index),
        Role::GradNextState(index) => ("grad_next_state", index),
        Role::Checkpoint(index) => ("checkpoint", index),
        Role::Trace => ("trace", 0),
        Role::Factor(index) => ("factor", index),
        Role::Param(index) => ("param", index),
        Role::GradParam(index) => ("grad_param", index),
    }
}
