//! A GPU.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use cudarc::driver::{CudaContext, CudaStream, sys};

use super::CudaError;
use super::context::{Current, Restore, RestoreLast};
use super::kernel::{Kernel, ModuleKey, Purpose};
use super::library::is_present;
use super::module::Module;
use super::pool::Pool;

/// A GPU, with a stream of its own that runs all work in order.
///
/// Cheap to clone; clones are the same device, whereas two calls of [`CudaDevice::new`] make two devices, even for the same
/// GPU. A device loads each kernel once, and keeps the memory of freed arrays for later ones until it is dropped.
#[derive(Clone)]
pub struct CudaDevice(Arc<Inner>);

struct Inner {
    pool: Option<Pool>,
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    architecture: (u32, u32),
    multiprocessors: usize,
    modules: Mutex<HashMap<ModuleKey, Place>>,
    kernels: RwLock<HashMap<(ModuleKey, Purpose), Arc<Kernel>>>,
    /// Dropped last: dropping what is above makes the device's context current.
    last: RestoreLast,
}

/// A module, or the place for it while it is loaded. Each has its own lock, so that compiling one does not block others.
type Place = Arc<Mutex<Option<Arc<Module>>>>;

impl Drop for Inner {
    fn drop(&mut self) {
        self.last.remember();
        let _current = Current::enter(&self.context);
        // Kernels are unloaded next; the driver does not document that it waits for running ones.
        let _ = self.stream.synchronize();
    }
}

impl CudaDevice {
    /// The GPU with the given index, with a new stream.
    ///
    /// # Errors
    /// [`CudaError::NoDriver`], [`CudaError::NoDevice`], [`CudaError::Driver`]
    pub fn new(index: usize) -> Result<Self, CudaError> {
        Self::initialize()?;
        let _restore = Restore::new()?;
        let context = Self::primary_context(index)?;
        let stream = context.new_stream().map_err(|e| CudaError::driver("creating a stream", e))?;
        let pool = Pool::new(&context)?;
        Self::of(context, stream, pool)
    }

    /// The GPU with the given index as another library has set it up, for [`PreparedCall`](super::PreparedCall)s on that
    /// library's arrays and streams.
    ///
    /// Unlike [`CudaDevice::new`], this creates neither a stream nor a memory pool: the device's own stream is the driver's default stream.
    ///
    /// # Errors
    /// As [`CudaDevice::new`].
    pub fn borrowed(index: usize) -> Result<Self, CudaError> {
        Self::initialize()?;
        let _restore = Restore::new()?;
        let context = Self::primary_context(index)?;
        let stream = context.default_stream();
        Self::of(context, stream, None)
    }

    fn primary_context(index: usize) -> Result<Arc<CudaContext>, CudaError> {
        let count = Self::count()?;
        if index >= count {
            return Err(CudaError::NoDevice { index, count });
        }
        let context = CudaContext::new(index).map_err(|e| CudaError::driver("creating a context", e))?;
        // SAFETY: the context and the stream below leave this crate only as integers, so its arrays are used on that
        // stream only, and no events are needed to order work between streams.
        unsafe { context.disable_event_tracking() };
        Ok(context)
    }

    fn of(context: Arc<CudaContext>, stream: Arc<CudaStream>, pool: Option<Pool>) -> Result<Self, CudaError> {
        let (major, minor) =
            context.compute_capability().map_err(|e| CudaError::driver("querying the architecture", e))?;
        let architecture = (major.unsigned_abs(), minor.unsigned_abs());
        let attribute = sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
        let multiprocessors =
            context.attribute(attribute).map_err(|e| CudaError::driver("querying the multiprocessors", e))?;
        let multiprocessors = usize::try_from(multiprocessors).unwrap_or(0);
        let (modules, kernels) = (Mutex::default(), RwLock::default());
        Ok(Self(Arc::new(Inner {
            pool,
            context,
            stream,
            architecture,
            multiprocessors,
            modules,
            kernels,
            last: RestoreLast::default(),
        })))
    }

    /// The number of GPUs.
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
        if is_present("cuda") { Ok(()) } else { Err(CudaError::NoDriver) }
    }

    /// Its index.
    pub fn index(&self) -> usize {
        self.0.context.ordinal()
    }

    /// The name that the driver reports.
    pub fn name(&self) -> String {
        self.0.context.name().unwrap_or_else(|_| "unknown GPU".to_owned())
    }

    /// Its compute capability: `(9, 0)` for `sm_90`.
    pub fn architecture(&self) -> (u32, u32) {
        self.0.architecture
    }

    /// The number of its multiprocessors.
    pub fn multiprocessors(&self) -> usize {
        self.0.multiprocessors
    }

    /// Its memory, in bytes.
    ///
    /// # Errors
    /// [`CudaError::Driver`]
    pub fn memory(&self) -> Result<usize, CudaError> {
        self.0.context.total_mem().map_err(|e| CudaError::driver("querying the memory size", e))
    }

    /// The latest CUDA version that the driver supports, such as `(13, 0)`.
    ///
    /// # Errors
    /// [`CudaError::NoDriver`], [`CudaError::Driver`]
    pub fn driver_version() -> Result<(u32, u32), CudaError> {
        Self::require_driver()?;
        let mut version = 0;
        // SAFETY: the library is loaded; the version is written to a local variable.
        let result = unsafe { cudarc::driver::sys::cuDriverGetVersion(&raw mut version) };
        result.result().map_err(|e| CudaError::driver("querying the driver version", e))?;
        let version = version.unsigned_abs();
        Ok((version / 1000, version % 1000 / 10))
    }

    /// Waits until all work on its stream is done.
    ///
    /// # Errors
    /// [`CudaError::Driver`], also for errors of that work.
    pub fn synchronize(&self) -> Result<(), CudaError> {
        let _current = self.enter()?;
        self.0.stream.synchronize().map_err(|e| CudaError::driver("synchronizing", e))
    }

    /// The GPU's primary context, which is shared with other libraries: a `CUcontext` as an integer. Valid as long as the
    /// device.
    pub fn context_handle(&self) -> u64 {
        self.0.context.cu_ctx() as u64
    }

    /// The device's stream, for waiting or for ordering other work: a `CUstream` or `cudaStream_t` as an integer. Valid as
    /// long as the device.
    ///
    /// The only work of this crate that may be captured from the stream as a graph is that of
    /// [`PreparedCall::launch`](super::PreparedCall::launch): a graph does not keep the arrays and kernels that it uses.
    pub fn stream_handle(&self) -> u64 {
        self.0.stream.cu_stream() as u64
    }

    pub(super) fn context(&self) -> &Arc<CudaContext> {
        &self.0.context
    }

    /// The pool for its arrays; `None` if it does not support pools.
    pub(super) fn pool(&self) -> Option<&Pool> {
        self.0.pool.as_ref()
    }

    pub(super) fn stream(&self) -> &Arc<CudaStream> {
        &self.0.stream
    }

    /// Makes its context current on this thread until the result is dropped.
    pub(super) fn enter(&self) -> Result<Current, CudaError> {
        Current::enter(self.context())
    }

    /// Returns an error while the device's stream is being captured: the graph would not keep the arrays of this crate.
    pub(super) fn refuse_capture(&self) -> Result<(), CudaError> {
        let _current = self.enter()?;
        let status = self.stream().capture_status();
        match status.map_err(|e| CudaError::driver("querying the capture status", e))? {
            sys::CUstreamCaptureStatus::CU_STREAM_CAPTURE_STATUS_NONE => Ok(()),
            _ => Err(CudaError::Capturing { device: self.to_string() }),
        }
    }

    /// The module for `key`, which `load` loads at first use.
    pub(crate) fn module(
        &self,
        key: ModuleKey,
        load: impl FnOnce() -> Result<Module, CudaError>,
    ) -> Result<Arc<Module>, CudaError> {
        // Poisoning can be ignored: a panic while loading leaves the maps unchanged.
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

    /// Whether the module for `key` is loaded.
    pub(super) fn has(&self, key: ModuleKey) -> bool {
        let modules = self.0.modules.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is being loaded is not there yet.
        modules.get(&key).is_some_and(|place| place.try_lock().is_ok_and(|module| module.is_some()))
    }

    /// The kernel for `key`, which `find` looks up at first use.
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
