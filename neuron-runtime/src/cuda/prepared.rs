//! Calls on data in the memory of the GPU.

use std::sync::Arc;

use cudarc::driver::sys;

use super::arguments::Arguments;
use super::context::Current;
use super::kernel::{BLOCK, Kernel, Purpose, Size, grid};
use super::loading::find;
use super::sums::Workspace;
use super::{CudaDevice, CudaError, RawArray, RawCall, RawParameter};
use crate::check::{check_count, check_length};
use crate::neuron::validate_in;
use crate::parameter::misfit;
use crate::{BufferSpec, Element, Error, Extent, Gradient, Neuron, Reset, Signature, Spec, Template};

/// The bytes of device memory that a call needs besides its arrays, for [`RawCall::workspace`]: 0 except for the backward
/// templates of neurons with learnable parameters.
///
/// The addresses of `parameters` are ignored. If their layouts do not match `neurons`, which [`PreparedCall::launch`]
/// refuses, the result is 0; if the size overflows, it is [`usize::MAX`].
pub fn workspace_bytes<E: Element>(
    spec: &'static Spec,
    template: Template,
    neurons: usize,
    parameters: &[RawParameter],
) -> usize {
    bytes(neurons, parameters, || Workspace::new(spec, template, size_of::<E::Real>(), neurons, parameters))
}

fn bytes(
    neurons: usize,
    parameters: &[RawParameter],
    workspace: impl FnOnce() -> Option<Workspace>,
) -> usize {
    if neurons == 0 || !parameters.iter().all(|parameter| parameter.layout().divides(neurons)) {
        return 0;
    }
    workspace().map_or(usize::MAX, |workspace| workspace.bytes)
}

/// One template of a neuron with its parameters, reset mode and surrogate, for one data format on one device: everything
/// that a launch needs except sizes and arrays, checked and looked up once.
///
/// [`PreparedCall::launch`] only checks sizes and lengths, and launches. It takes no lock, allocates nothing (for kernels
/// of up to 48 arguments), and leaves the thread's current context unchanged.
#[derive(Clone, Debug)]
pub struct PreparedCall {
    device: CudaDevice,
    spec: &'static Spec,
    signature: &'static Signature,
    kernel: Arc<Kernel>,
    settings: Arguments,
    /// Neurons per block.
    block: usize,
    /// Bytes per number in the format of the arithmetic.
    real: usize,
    reset: Reset,
    /// Whether sequences may be scanned.
    scan: bool,
}

impl PreparedCall {
    /// Prepares calls of `template` of `neuron` for data of format `E`. Loads its kernels if necessary.
    ///
    /// # Errors
    /// As [`Neuron::run`] for parameters, [`Error::NoTemplate`], [`Error::SurrogateParameter`]; [`Error::Cuda`].
    pub fn new<E: Element>(
        device: &CudaDevice,
        neuron: &(impl Neuron + ?Sized),
        template: Template,
        gradient: Gradient,
    ) -> Result<Self, Error> {
        Self::of::<E>(device, neuron.spec(), neuron, template, gradient)
    }

    /// As [`PreparedCall::new`], for the kernels of `spec`, which `neuron` returned.
    pub(super) fn of<E: Element>(
        device: &CudaDevice,
        spec: &'static Spec,
        neuron: &(impl Neuron + ?Sized),
        template: Template,
        gradient: Gradient,
    ) -> Result<Self, Error> {
        validate_in::<E::Real>(neuron)?;
        let signature = spec.checked_signature(template)?;
        let mut own = None;
        if template.takes_gradient() {
            gradient.surrogate.validate_in::<E::Real>()?;
            own = Some(gradient.surrogate).filter(|surrogate| surrogate.index().is_none());
        }
        let settings = Arguments::settings_of::<E>(spec, neuron, template, gradient)?;
        let kernel = find::<E>(device, spec, Purpose::template(template, neuron.reset()), own)?;
        let block = BLOCK * signature.lanes.of(E::FORMAT);
        let (device, real) = (device.clone(), size_of::<E::Real>());
        let reset = neuron.reset();
        Ok(Self { device, spec, signature, kernel, settings, block, real, reset, scan: false })
    }

    /// Lets long sequences of few neurons be computed by a scan over time, where that is faster: for several chunks of steps at
    /// once, rather than one step after the other.
    ///
    /// Results then differ by rounding from those of other sizes and of the CPU. They are the same bits in every run.
    ///
    /// # Errors
    /// [`Error::NotAffine`] if a step of the neuron is not affine in its states.
    pub fn with_scan(self) -> Result<Self, Error> {
        self.spec.check_affine(self.reset)?;
        Ok(Self { scan: true, ..self })
    }

    /// The specification whose kernels it launches.
    pub fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// The template.
    pub fn template(&self) -> Template {
        self.signature.template
    }

    /// The device.
    pub fn device(&self) -> &CudaDevice {
        &self.device
    }

    /// The kernel for other libraries: a `CUfunction` as an integer. Valid as long as `self`.
    pub fn function_handle(&self) -> u64 {
        self.kernel.handle()
    }

    /// The bytes of [`RawCall::workspace`] that a launch needs; see [`workspace_bytes`].
    pub fn workspace_bytes(&self, neurons: usize, parameters: &[RawParameter]) -> usize {
        bytes(neurons, parameters, || self.workspace(neurons, parameters))
    }

    fn workspace(&self, neurons: usize, parameters: &[RawParameter]) -> Option<Workspace> {
        Workspace::new(self.spec, self.template(), self.real, neurons, parameters)
    }

    /// Launches it on arrays in device memory, without copies, allocations or synchronisation.
    ///
    /// # Errors
    /// [`Error::BufferCount`], [`Error::Empty`], [`Error::Length`], [`Error::InitialStateVaries`],
    /// [`Error::ParameterLayout`], [`Error::Cuda`]. Only after an error of the driver, [`CudaError::Driver`], may part of the
    /// work have been launched.
    ///
    /// # Safety
    /// - Every array is in the device's context, aligned for its format, and has the stated number of elements. Outputs and
    ///   workspace do not overlap each other or any other array.
    /// - The stream belongs to the device's context.
    /// - Until the work is done, all of that memory stays allocated, and a clone of the device stays alive (that of this
    ///   call, for instance): it keeps the kernels loaded.
    /// - If the stream is being captured as a graph, both hold until the graph is destroyed.
    pub unsafe fn launch(&self, call: &RawCall<'_>) -> Result<(), Error> {
        let &RawCall { neurons, parameters, outputs, .. } = call;
        self.check(call)?;
        let too_large = CudaError::ArrayTooLarge { elements: neurons, size: self.real };
        let workspace = self.workspace(neurons, parameters).ok_or(too_large)?;
        let given = call.workspace.map_or(0, |array| array.len);
        if given < workspace.bytes {
            return Err(CudaError::Workspace { expected: workspace.bytes, actual: given }.into());
        }
        let place = call.workspace.map_or(0, |array| array.address);

        let (arrays, sums) = outputs.split_at(outputs.len() - workspace.learnables());
        let written = arrays.iter().map(RawArray::argument).chain(workspace.parts(place));
        let mut arguments = self.settings.clone().with(self.template(), call, written);

        let (block, multiprocessors) = (self.block, self.device.multiprocessors());
        let size = Size {
            steps: call.steps,
            neurons,
            columns: workspace.columns,
            block,
            multiprocessors,
            scan: self.scan,
        };
        let shape = self.kernel.shape(size);
        let blocks = grid(shape.blocks, neurons)?;
        // The grids of the sums are checked too, before anything is launched.
        grid(workspace.blocks, neurons)?;
        let stream = call.stream.map_or(self.device.stream().cu_stream(), |raw| raw as sys::CUstream);
        let _current = Current::enter(self.device.context())?;
        // SAFETY: the arguments are those of the kernel, which was generated with this signature, and its context is current;
        // the caller guarantees the rest.
        unsafe {
            self.kernel.launch(shape, blocks, stream, &mut arguments)?;
            if let Some(kernels) = self.kernel.sums() {
                workspace.add_up(place, sums, kernels, stream)?;
            }
        }
        Ok(())
    }

    /// Checks sizes and lengths.
    fn check(&self, call: &RawCall<'_>) -> Result<(), Error> {
        let (neuron, template) = (self.spec.name, self.template());
        let &RawCall { steps, neurons, inputs, parameters, outputs, .. } = call;
        let counts = [
            ("input", self.signature.inputs.len() - self.spec.arrays().count(), inputs.len()),
            ("parameter", self.spec.arrays().count(), parameters.len()),
            ("output", self.signature.outputs.len(), outputs.len()),
        ];
        for (role, expected, actual) in counts {
            check_count(self.spec, template, role, expected, actual)?;
        }
        for (what, size) in [("N", neurons), ("T", steps)] {
            if size == 0 {
                return Err(Error::Empty { neuron, template, what });
            }
        }
        for (array, parameter) in self.spec.arrays().zip(parameters) {
            misfit(neuron, array.name, parameter.layout(), neurons)?;
        }
        let is_array = |buffer: &&BufferSpec| buffer.extent != Extent::Parameter;
        let read = self.signature.inputs.iter().filter(is_array).zip(inputs);
        let learnables = Workspace::learnables_of(self.spec, template, parameters);
        let mut counts = learnables.map(|parameter| parameter.count);
        read.chain(self.signature.outputs.iter().zip(outputs)).try_for_each(|(buffer, array)| {
            // There is one for each gradient of a parameter: the signature was checked.
            let count = if is_array(&buffer) { None } else { Some(counts.next().unwrap_or(0)) };
            check_length(self.spec, template, buffer, [steps, neurons], count, array.len)
        })
    }
}
