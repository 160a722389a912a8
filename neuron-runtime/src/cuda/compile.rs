//! Compiles kernels at run time, where no embedded image fits, and keeps them on disk.

use std::ffi::CString;
use std::path::PathBuf;

use cudarc::nvrtc::{result, sys};

use super::CudaError;
use super::image::ImageSource;

/// Kernels for one format and architecture as a cubin: from the cache, else from NVRTC.
pub fn cubin(
    source: &str,
    format: &str,
    (major, minor): (u32, u32),
) -> Result<(Vec<u8>, ImageSource), CudaError> {
    // SAFETY: loads a library whose initialisers have no preconditions.
    if !unsafe { sys::is_culib_present() } {
        let message = "libnvrtc was not found; install the CUDA toolkit's NVRTC, or build with it".to_owned();
        return Err(CudaError::Compile { message });
    }
    let options = [
        format!("--gpu-architecture=sm_{major}{minor}"),
        "--fmad=false".to_owned(),
        "--std=c++17".to_owned(),
        format!("-D{}", format.to_uppercase()),
    ];
    let place = cache(source, &options);
    if let Some(bytes) = place.as_ref().and_then(|place| std::fs::read(place).ok()) {
        return Ok((bytes, ImageSource::Cache));
    }
    let bytes = compile(source, &options)?;
    // The cache is a convenience: if it cannot be written, the next run compiles again.
    if let Some(place) = place {
        let _ = write(&place, &bytes);
    }
    Ok((bytes, ImageSource::Compiled))
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
    // SAFETY: as above; the size is written to a variable of ours.
    unsafe { sys::nvrtcGetCUBINSize(program.0, &raw mut size) }.result().map_err(failed)?;
    let mut bytes = vec![0u8; size];
    // SAFETY: as above; the vector has the size that was asked for.
    unsafe { sys::nvrtcGetCUBIN(program.0, bytes.as_mut_ptr().cast()) }.result().map_err(failed)?;
    Ok(bytes)
}

/// Destroys what NVRTC created.
struct Program(sys::nvrtcProgram);

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: it was created by NVRTC and is not used any more.
        let _ = unsafe { result::destroy_program(self.0) };
    }
}

/// Where compiled kernels are kept: `NEURON_CACHE`, else `neurons` in the user's cache directory. `None` if there is
/// neither; whatever is compiled is forgotten then.
pub fn cache_directory() -> Option<PathBuf> {
    std::env::var_os("NEURON_CACHE").map(PathBuf::from).or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = std::env::var_os("HOME").map(PathBuf::from);
        Some(cache.or_else(|| home.map(|home| home.join(".cache")))?.join("neurons"))
    })
}

/// Major and minor version of the NVRTC that compiles at run time, if the system's loader finds one.
pub fn nvrtc_version() -> Option<(u32, u32)> {
    // SAFETY: loads a library whose initialisers have no preconditions.
    unsafe { sys::is_culib_present() }.then(version)
}

fn version() -> (u32, u32) {
    let (mut major, mut minor) = (0, 0);
    // SAFETY: both numbers are variables of ours.
    let _ = unsafe { sys::nvrtcVersion(&raw mut major, &raw mut minor) };
    (major.unsigned_abs(), minor.unsigned_abs())
}

/// Where a compiled image is kept.
fn cache(source: &str, options: &[String]) -> Option<PathBuf> {
    let directory = cache_directory()?;
    let (major, minor) = version();
    let key = format!("{major}.{minor}\n{}\n{source}", options.join(" "));
    Some(directory.join(format!("{:016x}.cubin", fnv1a(key.as_bytes()))))
}

/// Fowler, Noll and Vo's hash, version 1a: the same in every build, unlike the standard library's.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Writes a file that is whole or not there at all.
fn write(place: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = place.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let temporary = place.with_extension(format!("{}", std::process::id()));
    std::fs::write(&temporary, bytes)?;
    std::fs::rename(&temporary, place)
}
