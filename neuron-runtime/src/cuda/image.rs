//! Chooses and loads the image of a neuron's kernels.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt::Display;

use super::compile::Job;
use super::module::Module;
use super::{CudaDevice, CudaError, ImageKinds, ImageSource, whole};
use crate::{Architecture, Cuda, Format, Image, Spec, Surrogate, Target};

/// Loads the kernels of a neuron for `format` from the best usable image; with `only`, those of its source that
/// [`source_of`] names.
pub fn load(
    device: &CudaDevice,
    spec: &'static Spec,
    format: Format,
    kinds: ImageKinds,
    only: Option<&str>,
) -> Result<Module, CudaError> {
    let capability = device.architecture();
    if spec.cuda.is_empty() {
        return Err(CudaError::NoKernels { neuron: spec.name });
    }
    let mut tried = String::new();
    let note = |tried: &mut String, what: &dyn Display, why: &dyn Display| {
        *tried += &format!("  {what}: {why}\n");
    };
    for image in candidates(spec.cuda.images(), format, capability) {
        let (kind, source) = match image.target {
            Target::Cubin(_) => (ImageKinds::Binary, ImageSource::Binary(image.target)),
            Target::Ptx(_) => (ImageKinds::Ptx, ImageSource::Ptx(image.target)),
        };
        if !kinds.include(kind) {
            continue;
        }
        match of_image(device, image, source) {
            Ok(module) => return Ok(module),
            Err(error) => note(&mut tried, &image.target, &error),
        }
    }
    if tried.is_empty() {
        let none =
            format!("none for {format} on this architecture; `NEURON_CUDA_FORMATS` adds formats to a build");
        note(&mut tried, &"embedded images", &none);
    }
    if kinds.include(ImageKinds::Source) {
        match of_source(device, &source_of(spec, only), format) {
            Ok(module) => return Ok(module),
            Err(error) => note(&mut tried, &"source", &error),
        }
    }
    let architecture = Target::Cubin(Architecture::of_device(capability)).to_string();
    Err(CudaError::NoImage { neuron: spec.name, format: format.name(), architecture, tried })
}

/// Loads the kernels of a neuron for `format` with a user-defined surrogate, from the cache or newly compiled.
pub fn load_with(
    device: &CudaDevice,
    spec: &'static Spec,
    format: Format,
    surrogate: Surrogate,
    only: Option<&str>,
) -> Result<Module, CudaError> {
    let source = source_with(&source_of(spec, only), surrogate);
    of_source(device, &source, format).map_err(|error| {
        let (neuron, format, surrogate, reason) =
            (spec.name, format.name(), surrogate.name(), error.to_string());
        CudaError::OwnSurrogate { neuron, format, surrogate, reason }
    })
}

/// The source of all kernels, or of the template's kernel that is called `only` if they are printed one by one.
fn source_of(spec: &'static Spec, only: Option<&str>) -> Cow<'static, str> {
    let printed = only.and_then(|kernel| spec.cuda.source_of(kernel));
    printed.map_or_else(|| Cow::Borrowed(spec.cuda.source()), Cow::Owned)
}

/// Compiles `source`, unless an earlier run has cached the result and the driver accepts it.
pub fn of_source(device: &CudaDevice, source: &str, format: Format) -> Result<Module, CudaError> {
    let job = Job::new(source, format, device.architecture())?;
    let kept = job.kept().and_then(|bytes| Module::load(device.context(), &bytes, ImageSource::Cache).ok());
    kept.map_or_else(|| Module::load(device.context(), &job.compile()?, ImageSource::Compiled), Ok)
}

fn of_image(device: &CudaDevice, image: &Image, source: ImageSource) -> Result<Module, CudaError> {
    Module::load(device.context(), &image.decompress()?, source)
}

impl Image {
    /// The decompressed image: a cubin, or PTX with its terminating zero.
    ///
    /// # Errors
    /// [`CudaError::Damaged`]
    pub fn decompress(&self) -> Result<Vec<u8>, CudaError> {
        whole::decompress(self.compressed)
    }
}

/// The source of a neuron's kernels with `surrogate` as their only one.
///
/// It brings the functions that it calls: `source` only has those that the neuron's own kernels call. They are in
/// `surrogates::math`, where name look-up finds them first.
pub fn source_with(source: &str, surrogate: Surrogate) -> String {
    let (math, function) = (surrogate.cuda_math(), surrogate.cuda_function("custom"));
    format!(
        "#define CUSTOM_SURROGATE\n{source}\nnamespace surrogates {{\n\n{math}\n{function}\n}} // namespace surrogates\n"
    )
}

/// The embedded image that is tried first for data of `format` on a GPU of compute capability `device`, such as `(9, 0)`;
/// `None` if the source has to be compiled.
pub fn image_for(cuda: &Cuda, format: Format, device: (u32, u32)) -> Option<&'static Image> {
    candidates(cuda.images(), format, device).into_iter().next()
}

/// The images of a format that run on a GPU, best first: machine code before PTX, later architectures before earlier
/// ones.
fn candidates(images: &[Image], format: Format, device: (u32, u32)) -> Vec<&Image> {
    let device = Architecture::of_device(device);
    let runs = |image: &&Image| image.format == format && image.target.runs_on(device);
    let mut images: Vec<_> = images.iter().filter(runs).collect();
    images.sort_by_key(|image| (image.target.is_ptx(), Reverse(image.target.architecture())));
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_image_comes_first() {
        let image = |(format, target)| {
            let target = Target::parse(target).expect("a target");
            Image { format, target, compressed: &[] }
        };
        let images = [
            (Format::F32, "compute_80"),
            (Format::F32, "sm_80"),
            (Format::F32, "sm_86"),
            (Format::F32, "sm_90"),
            (Format::F32, "sm_90a"),
            (Format::F64, "sm_89"),
        ];
        let images = images.map(image);
        let targets = |device| {
            let found = candidates(&images, Format::F32, device);
            found.into_iter().map(|image| image.target.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(targets((8, 0)), ["sm_80", "compute_80"]);
        assert_eq!(targets((8, 9)), ["sm_86", "sm_80", "compute_80"]);
        assert_eq!(targets((9, 0)), ["sm_90a", "sm_90", "compute_80"]);
        assert_eq!(targets((12, 0)), ["compute_80"]);
        assert!(targets((7, 5)).is_empty());
    }
}
