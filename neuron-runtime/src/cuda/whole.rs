//! Checks that images are complete. The driver takes an address without a length, and reads as far as the image itself says.

use std::io::{self, Read as _};

use lz4_flex::frame::FrameDecoder;

use super::CudaError;

/// The kind of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Machine code: an ELF file.
    Cubin,
    /// Text that ends with a zero byte.
    Ptx,
}

/// Checks that every part of an image is inside `bytes`.
///
/// # Errors
/// [`CudaError::Damaged`]
pub fn check(kind: Kind, bytes: &[u8]) -> Result<(), CudaError> {
    let is_whole = match kind {
        Kind::Cubin => elf(bytes).is_some(),
        Kind::Ptx => is_text(bytes),
    };
    if is_whole { Ok(()) } else { Err(CudaError::Damaged { kind: kind.name(), bytes: bytes.len() }) }
}

/// Decompresses an LZ4 frame and verifies its length and checksum.
///
/// # Errors
/// [`CudaError::Damaged`]
pub fn decompress(frame: &[u8]) -> Result<Vec<u8>, CudaError> {
    let damaged = || CudaError::Damaged { kind: "LZ4 frame", bytes: frame.len() };
    let mut decoder = FrameDecoder::new(frame.chain(Truncated));
    let mut image = Vec::new();
    decoder.read_to_end(&mut image).map_err(|_| damaged())?;
    let (rest, _) = decoder.into_inner().into_inner();
    if rest.is_empty() { Ok(image) } else { Err(damaged()) }
}

/// An error at the end of the input. Otherwise the decoder would accept a frame that ends between two blocks without
/// verifying it.
struct Truncated;

impl io::Read for Truncated {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::InvalidData.into())
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Cubin => "cubin",
            Self::Ptx => "PTX",
        }
    }
}

/// Whether the driver takes it for PTX. It goes by the first bytes; those of other formats are not text, except ELF's.
fn is_text(bytes: &[u8]) -> bool {
    let text = std::ffi::CStr::from_bytes_with_nul(bytes).ok().and_then(|text| text.to_str().ok());
    text.is_some_and(|text| !text.is_empty() && !text.as_bytes().starts_with(MAGIC))
}

const MAGIC: &[u8] = b"\x7fELF";

/// 64 bits, little-endian.
const CLASS: &[u8] = &[2, 1];

/// A section that has a size but no bytes in the file.
const NO_BYTES: u32 = 8;

/// `Some` if all tables, sections and segments of an ELF file end inside it.
fn elf(bytes: &[u8]) -> Option<()> {
    let is_elf = bytes.starts_with(MAGIC) && bytes.get(4..6) == Some(CLASS);
    let (segments, sections) = (Table::new(bytes, 0x20, 0x36)?, Table::new(bytes, 0x28, 0x3a)?);
    let are_inside = sections.entries(0x40, bytes)?.all(|section| {
        word(section, 4) == Some(NO_BYTES)
            || long(section, 0x18).zip(long(section, 0x20)).is_some_and(|range| is_inside(range, bytes))
    }) && segments.entries(0x38, bytes)?.all(|segment| {
        long(segment, 8).zip(long(segment, 0x20)).is_some_and(|range| is_inside(range, bytes))
    });
    (is_elf && sections.count > 0 && are_inside).then_some(())
}

/// A table of headers.
struct Table {
    offset: u64,
    size: u16,
    count: u16,
}

impl Table {
    /// Reads a table's offset at `offset`, and at `size` the size of its entries, followed by their number.
    fn new(bytes: &[u8], offset: usize, size: usize) -> Option<Self> {
        Some(Self { offset: long(bytes, offset)?, size: half(bytes, size)?, count: half(bytes, size + 2)? })
    }

    /// Its entries, if they are inside the file and have at least the size of the format.
    fn entries<'a>(&self, least: u16, bytes: &'a [u8]) -> Option<impl Iterator<Item = &'a [u8]>> {
        let table = match self.count {
            0 => &[],
            count if self.size >= least => {
                let first = usize::try_from(self.offset).ok()?;
                bytes.get(first..first.checked_add(usize::from(count) * usize::from(self.size))?)?
            }
            _ => return None,
        };
        Some(table.chunks_exact(usize::from(self.size.max(least))))
    }
}

fn is_inside((offset, size): (u64, u64), bytes: &[u8]) -> bool {
    offset.checked_add(size).is_some_and(|end| end <= bytes.len() as u64)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file of 8 bytes of contents and two sections: these bytes, and one that has none.
    fn file() -> Vec<u8> {
        let mut bytes = [MAGIC, CLASS].concat();
        bytes.resize(0x40 + 8, 0);
        bytes[0x28..0x30].copy_from_slice(&0x48u64.to_le_bytes());
        bytes[0x3a..0x3e].copy_from_slice(&[0x40, 0, 2, 0]);
        for (kind, offset, size) in [(1u32, 0x40u64, 8u64), (NO_BYTES, 0x48, 1 << 40)] {
            let mut section = [0; 0x40];
            section[4..8].copy_from_slice(&kind.to_le_bytes());
            section[0x18..0x20].copy_from_slice(&offset.to_le_bytes());
            section[0x20..0x28].copy_from_slice(&size.to_le_bytes());
            bytes.extend(section);
        }
        bytes
    }

    fn is_whole(kind: Kind, bytes: &[u8]) -> bool {
        check(kind, bytes).is_ok()
    }

    #[test]
    fn a_cubin_cut_anywhere_is_refused() {
        let file = file();
        assert!(is_whole(Kind::Cubin, &file));
        for length in 0..file.len() {
            assert!(!is_whole(Kind::Cubin, &file[..length]), "{length} bytes");
        }
        assert!(!is_whole(Kind::Ptx, &[&file[..], &[0]].concat()));
    }

    #[test]
    fn what_a_cubin_points_to_is_inside() {
        // Where the table is, how many entries it has, where a section is, how long it is.
        for place in [0x28, 0x3c, 0x48 + 0x19, 0x48 + 0x21, 0x48 + 0x27] {
            let mut file = file();
            file[place] += 1;
            assert!(!is_whole(Kind::Cubin, &file), "{place:#x}");
        }
    }

    /// A frame as build scripts write it.
    fn frame(image: &[u8]) -> Vec<u8> {
        neuron_codegen::build::images::compress(image).expect("memory")
    }

    #[test]
    fn images_are_what_was_compressed() {
        let ptx = [b".version 9.0\n".repeat(1000), vec![0]].concat();
        let frame = frame(&ptx);
        assert!(frame.len() < ptx.len() / 10);
        assert_eq!(decompress(&frame), Ok(ptx));
    }

    #[test]
    fn damaged_frames_are_refused() {
        let frame = frame(&file());
        for length in 0..frame.len() {
            assert!(decompress(&frame[..length]).is_err(), "{length} bytes");
        }
        for at in 0..frame.len() {
            for bit in 0..8 {
                let mut damaged = frame.clone();
                damaged[at] ^= 1 << bit;
                // There are several ways to say the same bytes.
                if let Ok(image) = decompress(&damaged) {
                    assert_eq!(image, file(), "bit {bit} of byte {at}");
                    assert!(at < frame.len() - 4, "bit {bit} of the checksum");
                }
            }
        }
        assert!(decompress(&[&frame[..], b"\0"].concat()).is_err());
        assert!(decompress(&[&frame[..], &frame].concat()).is_err());
    }

    #[test]
    fn ptx_ends_with_its_only_zero() {
        assert!(is_whole(Kind::Ptx, b".version 9.0\n\0"));
        for bytes in
            [&b""[..], b"\0", b".version 9.0", b".version\0 9.0\0", b"\x7fELF\0", b"\x50\xed\x55\xba\0"]
        {
            assert!(!is_whole(Kind::Ptx, bytes), "{bytes:?}");
        }
        assert!(!is_whole(Kind::Cubin, b".version 9.0\n\0"));
    }
}
