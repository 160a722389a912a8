//! Whether NVIDIA's libraries are there, before cudarc, which panics where they are not, looks for them.
//!
//! cudarc has such a test only where it loads libraries at run time. Next to candle's CUDA backend it is linked with them.

use cudarc::driver::sys::CUDA_VERSION;
use libloading::Library;

/// Whether the dynamic loader finds `name`, such as `nvrtc`, under a file name that cudarc tries, too.
pub(super) fn is_present(name: &str) -> bool {
    // SAFETY: the libraries are NVIDIA's, whose initialisers have no preconditions.
    candidates(name).iter().any(|file| unsafe { Library::new(file) }.is_ok())
}

fn candidates(name: &str) -> Vec<String> {
    let major = CUDA_VERSION / 1000;
    if cfg!(windows) {
        return vec![format!("nv{name}.dll"), format!("{name}.dll"), format!("{name}64_{major}0_0.dll")];
    }
    // The driver is `libcuda.so.1`; the others have the version of the toolkit.
    let versions = [format!(".{major}"), ".12".to_owned(), ".11".to_owned(), ".1".to_owned()];
    let versions = std::iter::once(String::new()).chain(versions);
    versions.map(|version| format!("lib{name}.so{version}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_libraries_are_not_found() {
        assert!(!is_present("no-such-library-of-nvidia"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_have_the_versions_that_are_installed() {
        assert!(candidates("cuda").contains(&"libcuda.so.1".to_owned()));
        assert!(candidates("nvrtc").contains(&format!("libnvrtc.so.{}", CUDA_VERSION / 1000)));
    }
}
