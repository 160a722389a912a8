//! Maximum over windows of images, and the gradient of the images.

mod geometry;

use std::sync::Arc;

use cudarc::driver::sys;

pub use self::geometry::Window;
use self::geometry::{Geometry, Side};
use super::arguments::Arguments;
use super::context::Current;
use super::image::of_source;
use super::kernel::{self, BLOCK};
use super::module::{Function, Module};
use super::{CudaDevice, CudaError, RawArray};
use crate::{Element, Error};

/// Bytes of the values of a thread, where channels and alignment allow it.
const VECTOR: usize = 16;

/// Maximum pooling for data of one format on one device, prepared for arrays by address.
///
/// Images are `[images, height, width, channels]`; those of which channels are not innermost are as many images of one channel. Of
/// equal values in a window the first one is its maximum, and NaN is larger than any number, as in PyTorch. What the gradient needs
/// is a byte for each maximum: which value of its window it is.
#[derive(Clone, Debug)]
pub struct PreparedMaxPool {
    device: CudaDevice,
    /// Keeps the functions loaded.
    _module: Arc<Module>,
    /// One channel a thread, and several; for windows of any shape, of 2 x 2, and of 3 x 3 values.
    maxima: [[Function; 3]; 2],
    gradients: [Function; 2],
    /// Of windows that do not overlap.
    gradients_apart: [Function; 2],
    /// Bytes of a value.
    size: usize,
}

/// The arrays of a call, and what it needs to know.
#[derive(Clone, Copy, Debug)]
pub struct MaxPoolCall {
    /// The number of images.
    pub images: usize,
    /// Values of an image that are next to each other.
    pub channels: usize,
    /// Vertical, then horizontal.
    pub axes: [Window; 2],
    /// `[images, height, width, channels]`, in the format of the data; of the gradient, written.
    pub x: RawArray,
    /// `[images, pooled height, pooled width, channels]`; written, but of the gradient.
    pub y: RawArray,
    /// As many bytes as `y` has values; written, but of the gradient.
    pub places: RawArray,
    /// A `cudaStream_t` as an integer, or `None` for the device's own.
    pub stream: Option<u64>,
}

impl PreparedMaxPool {
    /// Compiles the kernels for data of format `E`, unless an earlier run has cached them.
    ///
    /// # Errors
    /// [`CudaError::Compile`] without NVRTC.
    pub fn new<E: Element>(device: &CudaDevice) -> Result<Self, CudaError> {
        let module = Arc::new(of_source(device, SOURCE, E::FORMAT)?);
        let function = |name| module.function(name);
        let maxima = [
            [function("max_pool_single")?, function("max_pool_single_2")?, function("max_pool_single_3")?],
            [function("max_pool_vector")?, function("max_pool_vector_2")?, function("max_pool_vector_3")?],
        ];
        let gradients = [function("max_pool_gradient_single")?, function("max_pool_gradient_vector")?];
        let gradients_apart =
            [function("max_pool_gradient_apart_single")?, function("max_pool_gradient_apart_vector")?];
        let size = size_of::<E>();
        Ok(Self { device: device.clone(), _module: module, maxima, gradients, gradients_apart, size })
    }

    /// The device.
    pub fn device(&self) -> &CudaDevice {
        &self.device
    }

    /// Launches the computation of `y` and `places`, without copies, allocations or synchronisation.
    ///
    /// # Errors
    /// [`Error::Window`] for windows that the kernels do not support; [`Error::Operand`] if an array has another length; [`Error::Cuda`].
    ///
    /// # Safety
    /// As [`PreparedCall::launch`](super::PreparedCall::launch), for `x`, which is read, and all other arrays, which are written.
    pub unsafe fn launch(&self, call: &MaxPoolCall) -> Result<(), Error> {
        let known = match call.axes.map(|axis| axis.window) {
            [2, 2] => 1,
            [3, 3] => 2,
            _ => 0,
        };
        let functions = self.maxima.map(|functions| functions[known]);
        let arrays = [(call.x, self.size), (call.y, self.size), (call.places, 1)];
        // SAFETY: guaranteed by the caller.
        unsafe { self.run("max_pool", functions, Side::Output, call, arrays) }
    }

    /// Launches the computation of the gradient: `x` and `y` are those of the images and of the maxima.
    ///
    /// # Errors
    /// As [`PreparedMaxPool::launch`].
    ///
    /// # Safety
    /// As [`PreparedCall::launch`](super::PreparedCall::launch), for `x`, which is written, and all other arrays, which are read.
    pub unsafe fn launch_grad(&self, call: &MaxPoolCall) -> Result<(), Error> {
        let arrays = [(call.y, self.size), (call.places, 1), (call.x, self.size)];
        let is_apart = call.axes.iter().all(|axis| axis.stride >= axis.window);
        let (functions, side) =
            if is_apart { (self.gradients_apart, Side::Output) } else { (self.gradients, Side::Input) };
        // SAFETY: guaranteed by the caller.
        unsafe { self.run("max_pool_gradient", functions, side, call, arrays) }
    }

    /// # Safety
    /// The functions are those of the module whose threads have places of `side`, and take `arrays` in this order, with the bytes of
    /// their values. The caller may use their memory.
    unsafe fn run(
        &self,
        name: &'static str,
        functions: [Function; 2],
        side: Side,
        call: &MaxPoolCall,
        arrays: [(RawArray, usize); 3],
    ) -> Result<(), Error> {
        Window::check(call.axes)?;
        let lengths = [Side::Input, Side::Output].map(|side| call.len(side));
        let named =
            [("x", call.x, lengths[0]), ("y", call.y, lengths[1]), ("places", call.places, lengths[1])];
        for (name, array, expected) in named {
            if array.len != expected {
                return Err(Error::Operand { operation: "max pooling", name, expected, actual: array.len });
            }
        }
        if call.x.len == 0 {
            return Ok(());
        }
        let lanes = VECTOR / self.size;
        let is_aligned = [call.x, call.y].iter().all(|array| array.address.is_multiple_of(VECTOR as u64))
            && call.places.address.is_multiple_of(lanes as u64)
            && call.channels.is_multiple_of(lanes);
        let lanes = if is_aligned { lanes } else { 1 };
        let geometry = Geometry::new(call.axes, call.channels, side, lanes)?;
        let stream = call.stream.map_or(self.device.stream().cu_stream(), |raw| raw as sys::CUstream);
        let _current = Current::enter(self.device.context())?;
        // Kernels count in 31 bits.
        for (first, images) in geometry.parts(call.images) {
            let threads = images * geometry.threads;
            let mut arguments = Arguments::default();
            arguments.push(&geometry.bytes());
            arguments.push(&(threads as u32).to_ne_bytes());
            for (array, size) in arrays {
                arguments.word(array.address + (first * (array.len / call.images) * size) as u64);
            }
            let blocks = kernel::grid(threads.div_ceil(BLOCK), threads)?;
            // SAFETY: lengths fit, the arguments are those of the kernel, and its context is current; the caller guarantees the rest.
            unsafe {
                kernel::launch(
                    name,
                    functions[usize::from(is_aligned)],
                    [blocks, 1],
                    stream,
                    &mut arguments,
                )?;
            }
        }
        Ok(())
    }
}

/// The kernels, for NVRTC.
pub(super) const SOURCE: &str = concat!(include_str!("values.cu"), include_str!("max_pool.cu"));

impl MaxPoolCall {
    /// The number of values on one side; [`usize::MAX`] if that overflows.
    fn len(&self, side: Side) -> usize {
        let [height, width] = self.axes.map(|axis| axis.len(side));
        let sizes = [self.images, height, width, self.channels];
        sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size)).unwrap_or(usize::MAX)
    }
}
