//! Compiles kernels at run time, where no embedded image is usable, and caches them on disk.

use std::ffi::CString;
use std::sync::OnceLock;

use cudarc::nvrtc::{result, sys};
use neuron_abi::compiler::options;
use neuron_abi::{Architecture, Format, Target};

use super::CudaError;
use super::cache::{Entry, cache_directory};
use super::library::is_present;

/// A compilation for one format and architecture.
#[derive(Debug)]
pub struct Job<'a> {
    source: &'a str,
    options: Vec<String>,
    /// The entry of the cache, if there is a cache.
    entry: Option<Entry>,
}

impl<'a> Job<'a> {
    /// # Errors
    /// [`CudaError::Compile`] if there is no NVRTC.
    pub fn new(source: &'a str, format: Format, architecture: (u32, u32)) -> Result<Self, CudaError> {
        let Some((nvrtc_major, nvrtc_minor)) = nvrtc_version() else {
            let message =
                "libnvrtc was not found; install the CUDA toolkit's NVRTC, or build with it and with \
                 `NEURON_CUDA_FORMATS=all`"
                    .to_owned();
            return Err(CudaError::Compile { message });
        };
        let options = options(format, Target::Cubin(Architecture::of_device(architecture)));
        let key = || format!("NVRTC {nvrtc_major}.{nvrtc_minor}\n{}\n{source}", options.join(" "));
        let entry = cache_directory().map(|directory| Entry::new(&directory, key()));
        Ok(Self { source, options, entry })
    }

    /// A cubin from an earlier run.
    pub fn kept(&self) -> Option<Vec<u8>> {
        self.entry.as_ref()?.read()
    }

    /// Compiles a cubin with NVRTC and caches it.
    pub fn compile(&self) -> Result<Vec<u8>, CudaError> {
        let cubin = compile(self.source, &self.options)?;
        if let Some(entry) = &self.entry {
            // The cache is optional: if it cannot be written, the next run compiles again.
            let _ = entry.write(&cubin);
        }
        Ok(cubin)
    }
}

fn compile(source: &str, options: &[String]) -> Result<Vec<u8>, CudaError> {
    let failed = |error: result::NvrtcError| CudaError::Compile { message: error.to_string() };
    let source = CString::new(source).map_err(|error| CudaError::Compile { message: error.to_string() })?;
    let program = result::create_program(&source, None).map_err(failed)?;
    let program = Program(program);
    // SAFETY: the program was just created and is destroyed only when it goes out of scope.
    if let Err(error) = unsafe { result::compile_program(program.0, options) } {
        // SAFETY: as above.
        let log = unsafe { result::get_program_log(program.0) }.unwrap_or_default();
        let log: Vec<u8> = log.iter().map(|c| c.cast_unsigned()).take_while(|byte| *byte != 0).collect();
        let message = format!("{error}\n{}", String::from_utf8_lossy(&log));
        return Err(CudaError::Compile { message });
    }
    let mut size = 0;
    // SAFETY: as above; the size is written to a local variable.
    unsafe { sys::nvrtcGetCUBINSize(program.0, &raw mut size) }.result().map_err(failed)?;
    let mut bytes = vec![0u8; size];
    // SAFETY: as above; the vector has the required size.
    unsafe { sys::nvrtcGetCUBIN(program.0, bytes.as_mut_ptr().cast()) }.result().map_err(failed)?;
    Ok(bytes)
}

/// A program of NVRTC, destroyed on drop.
struct Program(sys::nvrtcProgram);

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: NVRTC created it, and it is not used again.
        let _ = unsafe { result::destroy_program(self.0) };
    }
}

/// Major and minor version of the NVRTC that compiles at run time, if the dynamic loader finds one. The search runs once
/// per process.
pub fn nvrtc_version() -> Option<(u32, u32)> {
    static VERSION: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    *VERSION.get_or_init(|| {
        // The test opens the library and closes it again; the call of it keeps it open. NVRTC must not be unloaded after
        // use, since it keeps threads and handlers.
        is_present("nvrtc").then(version)
    })
}

fn version() -> (u32, u32) {
    let (mut major, mut minor) = (0, 0);
    // SAFETY: both numbers are written to local variables.
    let _ = unsafe { sys::nvrtcVersion(&raw mut major, &raw mut minor) };
    (major.unsigned_abs(), minor.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::super::whole;
    use super::*;

    /// Whether there is NVRTC, which few machines have. Where `NEURON_TEST_NVRTC` is set there has to be.
    fn has_nvrtc() -> bool {
        let is_found = nvrtc_version().is_some();
        if !is_found {
            assert!(std::env::var_os("NEURON_TEST_NVRTC").is_none(), "libnvrtc was not found");
            println!("skipped: libnvrtc was not found");
        }
        is_found
    }

    #[test]
    fn what_nvrtc_makes_is_whole_and_kept() {
        if !has_nvrtc() {
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let source = "extern \"C\" __global__ void zero(float *x) { x[threadIdx.x] = 0; }";
        let entry = Some(Entry::new(folder.path(), source.to_owned()));
        for architecture in [(8, 0), (9, 0)] {
            let job =
                Job { entry: entry.clone(), ..Job::new(source, Format::F32, architecture).expect("NVRTC") };
            let cubin = job.compile().expect("a source without mistakes");
            assert_eq!(whole::check(whole::Kind::Cubin, &cubin), Ok(()));
            assert_eq!(job.kept(), Some(cubin));
        }
    }

    /// What is compiled at run time only, here for all formats.
    #[test]
    fn kernels_around_neurons_compile() {
        if !has_nvrtc() {
            return;
        }
        for source in [super::super::max_pool::SOURCE, super::super::moments::SOURCE] {
            for format in Format::ALL {
                let job = Job { entry: None, ..Job::new(source, format, (9, 0)).expect("NVRTC") };
                job.compile().unwrap_or_else(|error| panic!("{}: {error}", format.name()));
            }
        }
    }
}
