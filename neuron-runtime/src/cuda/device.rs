//! A GPU.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use cudarc::driver::{CudaContext, CudaStream, sys};

use super::CudaError;
use super::context::{Current, Preserved};
use super::kernel::{Kernel, ModuleKey, Purpose};
use super::module::Module;

/// A GPU with a stream on which everything is done in order.
///
/// Cheap to clone; clones are the same device. Kernels are loaded once a device. Memory of arrays that are gone is
/// kept for those to come, until the process ends.
#[derive(Clone)]
pub struct CudaDevice(Arc<Inner>);

struct Inner {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    architecture: (u32, u32),
    modules: Mutex<HashMap<ModuleKey, Place>>,
    kernels: RwLock<HashMap<(ModuleKey, Purpose), Arc<Kernel>>>,
}

/// Where a module is or will be, behind a lock of its own: while one is compiled, others can be had.
type Place = Arc<Mutex<Option<Arc<Module>>>>;

impl Drop for Inner {
    fn drop(&mut self) {
        // Kernels are unloaded next. That the driver lets those under way finish first is not documented.
        let _ = self.stream.synchronize();
    }
}

impl CudaDevice {
    /// The GPU of the given number, with a new stream.
    ///
    /// # Errors
    /// [`CudaError::NoDriver`], [`CudaError::NoDevice`], [`CudaError::Driver`]
    pub fn new(index: usize) -> Result<Self, CudaError> {
        let context = Self::primary_context(index)?;
        let stream = context.new_stream().map_err(|e| CudaError::driver("creating a stream", e))?;
        let device = Self::of(context, stream)?;
        device.keep_freed_memory()?;
        Ok(device)
    }

    /// The GPU of the given number as another library has set it up: for [`PreparedCall`](super::PreparedCall)s on that
    /// library's arrays and streams.
    ///
    /// Unlike [`CudaDevice::new`], this creates no stream, leaves the settings of the driver's memory pool alone, and restores
    /// the current context of the thread. The device's own stream is the driver's default stream.
    ///
    /// # Errors
    /// As [`CudaDevice::new`].
    pub fn borrowed(index: usize) -> Result<Self, CudaError> {
        Self::initialize()?;
        let _before = Preserved::new()?;
        let context = Self::primary_context(index)?;
        let stream = context.default_stream();
        Self::of(context, stream)
    }

    fn primary_context(index: usize) -> Result<Arc<CudaContext>, CudaError> {
        let count = Self::count()?;
        if index >= count {
            return Err(CudaError::NoDevice { index, count });
        }
        let context = CudaContext::new(index).map_err(|e| CudaError::driver("creating a context", e))?;
        // SAFETY: neither the context nor the stream made of it leaves this crate but as a number, so its arrays are
        // only used on that stream, and no events are needed to order work between streams.
        unsafe { context.disable_event_tracking() };
        Ok(context)
    }

    fn of(context: Arc<CudaContext>, stream: Arc<CudaStream>) -> Result<Self, CudaError> {
        let (major, minor) =
            context.compute_capability().map_err(|e| CudaError::driver("asking for the architecture", e))?;
        let architecture = (major.unsigned_abs(), minor.unsigned_abs());
        let (modules, kernels) = (Mutex::default(), RwLock::default());
        Ok(Self(Arc::new(Inner { context, stream, architecture, modules, kernels })))
    }

    /// How many GPUs there are.
    ///
    /// # Errors
    /// [`CudaError::NoDriver`], [`CudaError::Driver`]
    pub fn count() -> Result<usize, CudaError> {
        Self::initialize()?;
        let count = CudaContext::device_count().map_err(|e| CudaError::driver("counting GPUs", e))?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// Loads the driver, unless it is loaded.
    pub(super) fn initialize() -> Result<(), CudaError> {
        Self::require_driver()?;
        cudarc::driver::result::init().map_err(|e| CudaError::driver("loading the driver", e))
    }

    fn require_driver() -> Result<(), CudaError> {
        // SAFETY: loads a system library whose initialisers have no preconditions.
        let is_there = unsafe { cudarc::driver::sys::is_culib_present() };
        if is_there { Ok(()) } else { Err(CudaError::NoDriver) }
    }

    /// Its number.
    pub fn index(&self) -> usize {
        self.0.context.ordinal()
    }

    /// Its name, as the driver has it.
    pub fn name(&self) -> String {
        self.0.context.name().unwrap_or_else(|_| "unknown GPU".to_owned())
    }

    /// Its architecture: `(9, 0)` for `sm_90`.
    pub fn architecture(&self) -> (u32, u32) {
        self.0.architecture
    }

    /// Its memory, in bytes.
    ///
    /// # Errors
    /// [`CudaError::Driver`]
    pub fn memory(&self) -> Result<usize, CudaError> {
        self.0.context.total_mem().map_err(|e| CudaError::driver("asking for the memory", e))
    }

    /// The newest CUDA that the driver knows, `(13, 0)`.
    ///
    /// # Errors
    /// [`CudaError::NoDriver`], [`CudaError::Driver`]
    pub fn driver_version() -> Result<(u32, u32), CudaError> {
        Self::require_driver()?;
        let mut version = 0;
        // SAFETY: the library is there; the number is a variable of ours.
        let result = unsafe { cudarc::driver::sys::cuDriverGetVersion(&raw mut version) };
        result.result().map_err(|e| CudaError::driver("asking for the version", e))?;
        let version = version.unsigned_abs();
        Ok((version / 1000, version % 1000 / 10))
    }

    /// Waits until everything given to it is done.
    ///
    /// # Errors
    /// [`CudaError::Driver`], also of work given to it before.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        let _current = self.enter()?;
        self.0.stream.synchronize().map_err(|e| CudaError::driver("waiting for the GPU", e))
    }

    /// The driver's context, a `CUcontext` as a number, for other libraries: that of the device that all of them share
    /// (the primary context). Valid as long as the device.
    pub fn context_handle(&self) -> u64 {
        self.0.context.cu_ctx() as u64
    }

    /// The stream on which everything is done, a `CUstream` or `cudaStream_t` as a number: to wait for it, or to order other
    /// work by it. Valid as long as the device.
    ///
    /// Work on the stream may be captured as a graph only if none of it is this crate's, other than by
    /// [`PreparedCall::launch`](super::PreparedCall::launch): a graph does not keep the arrays and kernels that it uses.
    pub fn stream_handle(&self) -> u64 {
        self.0.stream.cu_stream() as u64
    }

    pub(super) fn context(&self) -> &Arc<CudaContext> {
        &self.0.context
    }

    pub(super) fn stream(&self) -> &Arc<CudaStream> {
        &self.0.stream
    }

    /// Its context as the current one of this thread, until that is dropped.
    pub(super) fn enter(&self) -> Result<Current, CudaError> {
        Current::enter(self.context())
    }

    /// Refuses to launch on arrays of this crate while the device's own stream is being captured: the graph would not keep
    /// them.
    pub(super) fn refuse_capture(&self) -> Result<(), CudaError> {
        let _current = self.enter()?;
        let status = self.stream().capture_status();
        match status.map_err(|e| CudaError::driver("asking whether the stream is captured", e))? {
            sys::CUstreamCaptureStatus::CU_STREAM_CAPTURE_STATUS_NONE => Ok(()),
            _ => Err(CudaError::Capturing { device: self.to_string() }),
        }
    }

    /// The module under `key`, loaded by `load` if it is not there yet.
    pub(crate) fn module(
        &self,
        key: ModuleKey,
        load: impl FnOnce() -> Result<Module, CudaError>,
    ) -> Result<Arc<Module>, CudaError> {
        // A panic while loading leaves the maps as they were.
        let place = {
            let mut modules = self.0.modules.lock().unwrap_or_else(PoisonError::into_inner);
            modules.entry(key).or_default().clone()
        };
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = &*place {
            return Ok(module.clone());
        }
        let module = Arc::new(load()?);
        *place = Some(module.clone());
        Ok(module)
    }

    /// The kernel under `key`, found by `find` if it is not there yet.
    pub(super) fn kernel(
        &self,
        key: (ModuleKey, Purpose),
        find: impl FnOnce() -> Result<Kernel, CudaError>,
    ) -> Result<Arc<Kernel>, CudaError> {
        if let Some(kernel) = self.0.kernels.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(kernel.clone());
        }
        let kernel = Arc::new(find()?);
        let mut kernels = self.0.kernels.write().unwrap_or_else(PoisonError::into_inner);
        Ok(kernels.entry(key).or_insert(kernel).clone())
    }
}

impl PartialEq for CudaDevice {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for CudaDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for CudaDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cuda:{}", self.index())
    }
}
