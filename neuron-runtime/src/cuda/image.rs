//! Which image of a neuron's kernels to load.

use super::compile::Job;
use super::module::Module;
use super::{CudaDevice, CudaError, ImageKinds, ImageSource, whole};
use crate::{Cuda, Format, Image, Spec, Surrogate};

/// Loads the kernels of a neuron for `format`, by the best image that can be used.
pub fn load(
    device: &CudaDevice,
    spec: &'static Spec,
    format: Format,
    kinds: ImageKinds,
) -> Result<Module, CudaError> {
    let (major, minor) = device.architecture();
    let mut tried = String::new();
    let note = |tried: &mut String, what: &str, why: &dyn std::fmt::Display| {
        *tried += &format!("  {what}: {why}\n");
    };
    let cuda = spec.cuda;
    let (binaries, ptx) = candidates(cuda, format.name(), (major, minor));
    for image in binaries.into_iter().filter(|_| kinds.include(ImageKinds::Binary)) {
        match of_image(device, image, ImageSource::Binary(image.target)) {
            Ok(module) => return Ok(module),
            Err(error) => note(&mut tried, image.target, &error),
        }
    }
    for image in ptx.into_iter().filter(|_| kinds.include(ImageKinds::Ptx)) {
        match of_image(device, image, ImageSource::Ptx(image.target)) {
            Ok(module) => return Ok(module),
            Err(error) => note(&mut tried, image.target, &error),
        }
    }
    if tried.is_empty() {
        let none =
            format!("none of {format} for this architecture; `NEURON_CUDA_FORMATS` adds formats to a build");
        note(&mut tried, "embedded images", &none);
    }
    if kinds.include(ImageKinds::Source) {
        match of_source(device, cuda.source, format) {
            Ok(module) => return Ok(module),
            Err(error) => note(&mut tried, "source", &error),
        }
    }
    let architecture = format!("sm_{major}{minor}");
    Err(CudaError::NoImage { neuron: spec.name, format: format.name(), architecture, tried })
}

/// Compiles the kernels of a neuron for `format` with a surrogate that is not among those they are compiled
/// with otherwise, or takes what an earlier run has compiled.
pub fn load_with(
    device: &CudaDevice,
    spec: &'static Spec,
    format: Format,
    surrogate: Surrogate,
) -> Result<Module, CudaError> {
    let source = source_with(spec.cuda, surrogate);
    of_source(device, &source, format).map_err(|error| {
        let (neuron, format, surrogate, reason) =
            (spec.name, format.name(), surrogate.name(), error.to_string());
        CudaError::OwnSurrogate { neuron, format, surrogate, reason }
    })
}

/// Compiles `source`, unless an earlier run has done so and the driver takes what it kept.
fn of_source(device: &CudaDevice, source: &str, format: Format) -> Result<Module, CudaError> {
    let job = Job::new(source, format, device.architecture())?;
    let kept = job.kept().and_then(|bytes| Module::load(device.context(), &bytes, ImageSource::Cache).ok());
    kept.map_or_else(|| Module::load(device.context(), &job.compile()?, ImageSource::Compiled), Ok)
}

fn of_image(device: &CudaDevice, image: &Image, source: ImageSource) -> Result<Module, CudaError> {
    Module::load(device.context(), &image.decompress()?, source)
}

impl Image {
    /// The image itself: a cubin, or PTX with the zero that ends it.
    ///
    /// # Errors
    /// [`CudaError::Damaged`]
    pub fn decompress(&self) -> Result<Vec<u8>, CudaError> {
        whole::decompress(self.compressed)
    }
}

/// The source of a neuron's kernels with `surrogate` as their only one.
///
/// The functions that it calls come with it: the neuron's source has those only that its own kernels call, and these are in
/// `surrogates::math`, where the surrogate finds them first.
pub fn source_with(cuda: &Cuda, surrogate: Surrogate) -> String {
    let (math, function) = (surrogate.cuda_math(), surrogate.cuda_function("custom"));
    format!(
        "#define CUSTOM_SURROGATE\n{}\nnamespace surrogates {{\n\n{math}\n{function}\n}} // namespace surrogates\n",
        cuda.source
    )
}

/// The embedded image that is tried first for data of a format on an architecture, `(9, 0)`; `None` if the source
/// has to be compiled.
pub fn image_for(cuda: &'static Cuda, format: &str, architecture: (u32, u32)) -> Option<&'static Image> {
    let (binaries, ptx) = candidates(cuda, format, architecture);
    binaries.into_iter().chain(ptx).next()
}

/// Images of a format that fit an architecture: binaries, best first, then PTX.
///
/// A binary runs on its own architecture and on later ones of the same generation; PTX on all later ones.
fn candidates(
    cuda: &'static Cuda,
    format: &str,
    (major, minor): (u32, u32),
) -> (Vec<&'static Image>, Vec<&'static Image>) {
    let device = major * 10 + minor;
    let number = |image: &Image, prefix: &str| image.target.strip_prefix(prefix)?.parse::<u32>().ok();
    let of_format = || cuda.images.iter().filter(|image| image.format == format);
    let mut binaries: Vec<(u32, &Image)> = of_format()
        .filter_map(|image| Some((number(image, "sm_")?, image)))
        .filter(|(number, _)| number / 10 == major && *number <= device)
        .collect();
    let mut ptx: Vec<(u32, &Image)> = of_format()
        .filter_map(|image| Some((number(image, "compute_")?, image)))
        .filter(|(number, _)| *number <= device)
        .collect();
    binaries.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    ptx.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let images = |list: Vec<(u32, &'static Image)>| list.into_iter().map(|(_, image)| image).collect();
    (images(binaries), images(ptx))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_image_comes_first() {
        static IMAGES: [Image; 5] = [
            Image { format: "f32", target: "compute_80", compressed: &[] },
            Image { format: "f32", target: "sm_80", compressed: &[] },
            Image { format: "f32", target: "sm_86", compressed: &[] },
            Image { format: "f32", target: "sm_90", compressed: &[] },
            Image { format: "f64", target: "sm_89", compressed: &[] },
        ];
        static CUDA: Cuda = Cuda { source: "", images: &IMAGES };
        let targets = |architecture| {
            let (binaries, ptx) = candidates(&CUDA, "f32", architecture);
            binaries.into_iter().chain(ptx).map(|image| image.target).collect::<Vec<_>>()
        };
        assert_eq!(targets((8, 0)), ["sm_80", "compute_80"]);
        assert_eq!(targets((8, 9)), ["sm_86", "sm_80", "compute_80"]);
        assert_eq!(targets((9, 0)), ["sm_90", "compute_80"]);
        assert_eq!(targets((12, 0)), ["compute_80"]);
        assert!(targets((7, 5)).is_empty());
    }
}
