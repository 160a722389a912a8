//! What kernels take of a GPU, from the cubin that they were compiled to.
//!
//! A cubin is an ELF file with a section `.nv.info` of attributes: a byte for the form of the value, a byte for what it
//! is, two for its size, and the value.

use std::collections::BTreeMap;

use object::read::elf::{ElfFile, ElfFile64};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use serde::Serialize;

/// Values follow the attribute.
const SIZED: u8 = 4;
const FRAME_SIZE: u8 = 0x11;
const REGISTERS: u8 = 0x2f;

/// What a kernel takes of a GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Registers a thread.
    pub registers: u32,
    /// Bytes of local memory a thread: what did not fit into registers, and arrays. 0 says that nothing is spilled.
    pub local: u32,
}

/// The usage of each kernel by its name, or `None` if the file is not such a one.
pub fn usage(cubin: &[u8]) -> Option<BTreeMap<String, Usage>> {
    let file: ElfFile64<'_> = ElfFile::parse(cubin).ok()?;
    let section = file.section_by_name(".nv.info")?;
    let names: BTreeMap<u32, &str> = (file.symbols())
        .filter_map(|symbol| Some((u32::try_from(symbol.index().0).ok()?, symbol.name().ok()?)))
        .collect();
    let mut kernels: BTreeMap<String, Usage> = BTreeMap::new();
    for (attribute, symbol, value) in attributes(section.data().ok()?) {
        let Some(name) = names.get(&symbol) else { continue };
        let field = |usage: &mut Usage| match attribute {
            REGISTERS => usage.registers = value,
            _ => usage.local = value,
        };
        field(kernels.entry((*name).to_owned()).or_default());
    }
    // Functions that kernels call have a frame, but registers belong to a kernel.
    kernels.retain(|_, usage| usage.registers > 0);
    Some(kernels)
}

/// Registers and frame sizes: attribute, symbol, value.
fn attributes(mut data: &[u8]) -> Vec<(u8, u32, u32)> {
    let mut found = Vec::new();
    while let [form, attribute, low, high, rest @ ..] = data {
        // The size of a value that is not in the attribute itself; others have theirs in its place.
        let size = if *form == SIZED { usize::from(u16::from_le_bytes([*low, *high])) } else { 0 };
        let Some((value, next)) = rest.split_at_checked(size) else { break };
        if let ([REGISTERS | FRAME_SIZE, SIZED], [a, b, c, d, e, f, g, h]) = ([*attribute, *form], value) {
            let (symbol, value) =
                (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h]));
            found.push((*attribute, symbol, value));
        }
        data = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_among_others() {
        let data = [
            [4, 0x37, 4, 0, 1, 2, 3, 4].as_slice(), // another one
            &[2, 0x50, 7, 0],                       // a value in the attribute itself
            &[4, REGISTERS, 8, 0, 9, 0, 0, 0, 62, 0, 0, 0],
            &[4, FRAME_SIZE, 8, 0, 9, 0, 0, 0, 40, 1, 0, 0],
            &[4, REGISTERS, 8, 0, 9], // cut off
        ]
        .concat();
        assert_eq!(attributes(&data), [(REGISTERS, 9, 62), (FRAME_SIZE, 9, 296)]);
    }

    /// What the assembler prints of the same kernels. Needs NVRTC or nvcc, and is passed over where there is neither,
    /// unless `NEURON_CUDA=require` is set.
    #[test]
    fn usage_is_the_assemblers() {
        use neuron_codegen::build::settings::{Format, Mode, Settings, Target};
        let settings = Settings::new(&|name| std::env::var_os(name)).unwrap();
        let compiler = match settings.search.find() {
            Ok(compiler) => compiler,
            Err(error) if settings.mode == Mode::Require => panic!("{error}"),
            Err(error) => return eprintln!("passed over: {error}"),
        };
        // The second one has an array that does not fit into registers.
        let source = r#"
            extern "C" __global__ void plain(float* x) { x[threadIdx.x] *= 2.0f; }
            extern "C" __global__ void local(float* x, int n) {
                float a[100];
                for (int i = 0; i < 100; ++i) a[(i * n) % 100] = x[i];
                for (int i = 0; i < 100; ++i) x[i] = a[(i + n) % 100];
            }"#;
        let scratch = tempfile::tempdir().unwrap();
        let scratch = scratch.path().join("kernels");
        for target in ["sm_80", "sm_90"].map(|target| Target::parse(target).unwrap()) {
            let found = usage(&compiler.compile(source, Format::F32, target, &scratch).unwrap()).unwrap();
            let expected = compiler.usage(source, Format::F32, target, &scratch).unwrap();
            let expected = expected
                .into_iter()
                .map(|kernel| (kernel.kernel, Usage { registers: kernel.registers, local: kernel.stack }));
            assert_eq!(found, expected.collect());
            assert_eq!(found["plain"].local, 0);
            assert!(found["local"].local >= 400);
        }
    }

    #[test]
    fn other_files_have_none() {
        assert_eq!(usage(b"\x7fELF but nothing else"), None);
        assert_eq!(usage(&[]), None);
    }
}
