//! The files of compiled kernels, which the build script writes and the macro embeds.
//!
//! ```text
//! OUT_DIR/neurons-cuda/Lif-0123456789abcdef/stamp           the compiler
//!                                          /f32.sm_90.cubin.lz4
//!                                          /f32.compute_80.ptx.lz4
//! ```
//!
//! Files are compressed as they are embedded: cubins to two sevenths of their size, PTX to a quarter. LZ4 is fast to decompress, which
//! the first launch waits for. Images are compressed with the library in C, which finds longer matches than those in Rust
//! and is optimised even in a build script.
//!
//! The number is a hash of everything that an image depends on, except the compiler and what its file name contains. The
//! macro, which only knows the source, thus finds the images of exactly this source.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lz4::{BlockSize, ContentChecksum, EncoderBuilder};
use neuron_abi::compiler::FLAGS;
use neuron_abi::fnv1a;

use super::settings::{Format, Target};

/// The folder of all images under `OUT_DIR`.
pub fn root(out_dir: &Path) -> PathBuf {
    out_dir.join("neurons-cuda")
}

/// Name of the folder of a neuron's images.
pub fn folder(name: &str, source: &str) -> String {
    let bytes = FLAGS.iter().flat_map(|flag| flag.bytes().chain([0])).chain(source.bytes());
    format!("{name}-{:016x}", fnv1a(bytes))
}

/// Name of an image's file.
pub fn file(format: Format, target: Target) -> String {
    let extension = if target.is_ptx() { "ptx" } else { "cubin" };
    format!("{}.{target}.{extension}.lz4", format.name())
}

/// Compresses an image to one LZ4 frame, which carries its length and a checksum of its contents.
pub fn compress(image: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = EncoderBuilder::new()
        .level(LEVEL)
        .block_size(BlockSize::Max4MB)
        .content_size(image.len() as u64)
        .checksum(ContentChecksum::ChecksumEnabled)
        .build(Vec::new())?;
    encoder.write_all(image)?;
    let (frame, result) = encoder.finish();
    result.map(|()| frame)
}

/// How long matches are searched for. Higher levels take several times as long for 2 % less.
const LEVEL: u32 = 9;

/// An image that can be embedded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embeddable {
    /// The data's format.
    pub format: Format,
    /// The target of the compilation.
    pub target: Target,
    /// Absolute path.
    pub path: String,
}

/// The images of a neuron, cubins first, in order of format and architecture.
pub fn embeddable(out_dir: &Path, name: &str, source: &str) -> Vec<Embeddable> {
    let Ok(entries) = std::fs::read_dir(root(out_dir).join(folder(name, source))) else { return Vec::new() };
    let mut images: Vec<_> = entries.filter_map(|entry| image(&entry.ok()?.path())).collect();
    images.sort_by_key(|image| (image.target, image.format));
    images
}

/// Other files are not images, but the stamp or incomplete files.
fn image(path: &Path) -> Option<Embeddable> {
    let name = path.file_name()?.to_str()?;
    let mut parts = name.split('.');
    let format = Format::parse(parts.next()?)?;
    let target = Target::parse(parts.next()?)?;
    (name == file(format, target))
        .then(|| Some(Embeddable { format, target, path: path.to_str()?.into() }))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_read_as_they_are_written() {
        for format in Format::ALL {
            for target in ["sm_80", "sm_100a", "compute_90"] {
                let target = Target::parse(target).unwrap();
                let path = Path::new("/out").join(file(format, target));
                let found = image(&path).unwrap();
                assert_eq!((found.format, found.target), (format, target));
            }
        }
        for other in [
            "stamp",
            "f32.sm_80",
            "f32.sm_80.cubin",
            "f32.sm_80.ptx.lz4",
            "f32.sm_80.cubin.new",
            "f8.sm_80.cubin.lz4",
        ] {
            assert_eq!(image(Path::new(other)), None, "{other}");
        }
    }
}
