//! Compiled kernels on disk, so that only the first run has to compile them.
//!
//! An entry records its key, its length and a checksum. One that does not verify, whether truncated, damaged, or for
//! another key with the same hash, counts as missing and is replaced by the next compilation. Without a readable and
//! writable directory there is no cache, which is not an error.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use neuron_abi::fnv1a;

/// The first bytes of an entry, with the version of its layout.
const MAGIC: [u8; 8] = *b"NEURON\x00\x01";

/// Magic, length of the key, length of the image, checksum of both.
const HEADER: usize = 32;

/// The directory of the cache: `NEURON_CACHE`, else `neurons` in the user's cache directory. `None` if there is neither;
/// then compiled kernels are not cached.
///
/// A relative `NEURON_CACHE` is resolved against the current directory. Empty variables are ignored, and so are relative
/// paths in the others.
pub fn cache_directory() -> Option<PathBuf> {
    directory(&|name| std::env::var_os(name))
}

fn directory(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(chosen) = path("NEURON_CACHE") {
        return std::path::absolute(chosen).ok();
    }
    let absolute = |name| path(name).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Some(cache?.join("neurons"))
}

/// An entry of the cache, which may not exist yet.
#[derive(Clone, Debug)]
pub struct Entry {
    place: PathBuf,
    key: String,
}

impl Entry {
    /// The entry for `key`, which contains everything that the image depends on.
    pub fn new(directory: &Path, key: String) -> Self {
        let name = fnv1a(key.bytes());
        Self { place: directory.join(format!("{name:016x}.cubin")), key }
    }

    /// The image, if there is a valid entry.
    pub fn read(&self) -> Option<Vec<u8>> {
        // Links are not followed, and a pipe would block.
        if !std::fs::symlink_metadata(&self.place).ok()?.is_file() {
            return None;
        }
        let mut file = File::open(&self.place).ok()?;
        let metadata = file.metadata().ok().filter(is_trusted)?;
        let mut header = [0; HEADER];
        file.read_exact(&mut header).ok()?;
        let [magic, key_len, image_len, checksum] = words(&header);
        let length = (HEADER as u64).checked_add(key_len)?.checked_add(image_len)?;
        let is_ours = magic == u64::from_le_bytes(MAGIC) && key_len == self.key.len() as u64;
        // The length is compared before memory is allocated.
        if !is_ours || metadata.len() != length {
            return None;
        }
        let mut key = vec![0; self.key.len()];
        file.read_exact(&mut key).ok()?;
        let mut image = vec![0; usize::try_from(image_len).ok()?];
        file.read_exact(&mut image).ok()?;
        (key == self.key.as_bytes() && checksum_of(&key, &image) == checksum).then_some(image)
    }

    /// Stores `image`, replacing any previous entry. Readers see either the old or the new entry, never a part: it is written
    /// under a temporary name, readable by this user only, and then renamed.
    pub fn write(&self, image: &[u8]) -> io::Result<()> {
        let directory = self.place.parent().unwrap_or(Path::new("/"));
        make_private(directory)?;
        let key = self.key.as_bytes();
        let checksum = checksum_of(key, image);
        let mut file = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(directory)?;
        file.write_all(&MAGIC)?;
        for word in [key.len() as u64, image.len() as u64, checksum] {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(key)?;
        file.write_all(image)?;
        // Otherwise a crash could leave an empty file under the final name.
        file.as_file().sync_all()?;
        file.persist(&self.place)?;
        Ok(())
    }
}

/// Creates a directory that only this user can access, unless it exists.
fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Whether only this user and the administrator can have written a file. Its code will run on this user's data.
#[cfg(target_os = "linux")]
fn is_trusted(file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    // SAFETY: the function has no preconditions.
    let user = unsafe { libc::geteuid() };
    (file.uid() == user || file.uid() == 0) && file.mode() & 0o022 == 0
}

#[cfg(not(target_os = "linux"))]
fn is_trusted(_: &Metadata) -> bool {
    true
}

/// The checksum of a key and an image.
fn checksum_of(key: &[u8], image: &[u8]) -> u64 {
    fnv1a(key.iter().chain(image).copied())
}

fn words(header: &[u8; HEADER]) -> [u64; 4] {
    let (words, _) = header.as_chunks();
    std::array::from_fn(|i| u64::from_le_bytes(words[i]))
}

#[cfg(test)]
mod tests;
