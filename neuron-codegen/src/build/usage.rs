//! Kernel resource usage, as reported by the assembler.

/// The resource usage of a kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Its symbol in the image.
    pub kernel: String,
    /// Registers per thread.
    pub registers: u32,
    /// Bytes of local memory per thread: arrays that are not in registers, and spills.
    pub stack: u32,
    /// Bytes of register spills written to local memory.
    pub spill_stores: u32,
    /// Bytes of register spills read back.
    pub spill_loads: u32,
}

/// Parses the output of `ptxas -v`. Functions that a kernel calls follow it, and count as part of it:
///
/// ```text
/// ptxas info    : Compiling entry function 'lif_bptt_f32' for 'sm_90'
/// ptxas info    : Function properties for lif_bptt_f32
/// ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
/// ptxas info    : Used 62 registers, used 0 barriers
/// ptxas info    : Function properties for __internal_trig_reduction_slowpathd
/// ptxas         .     40 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
/// ```
pub fn read(log: &str) -> Vec<Usage> {
    let mut kernels: Vec<Usage> = Vec::new();
    for line in log.lines() {
        if let Some((_, rest)) = line.split_once("Compiling entry function '") {
            let kernel = rest.split('\'').next().unwrap_or_default().to_owned();
            kernels.push(Usage { kernel, ..Usage::default() });
        }
        let Some(kernel) = kernels.last_mut() else { continue };
        let mut add = |field: fn(&mut Usage) -> &mut u32, unit| {
            if let Some(number) = before(line, unit) {
                *field(kernel) += number;
            }
        };
        add(|usage| &mut usage.registers, " registers");
        add(|usage| &mut usage.stack, " bytes stack frame");
        add(|usage| &mut usage.spill_stores, " bytes spill stores");
        add(|usage| &mut usage.spill_loads, " bytes spill loads");
    }
    kernels
}

/// The number before a unit.
fn before(line: &str, unit: &str) -> Option<u32> {
    line.split_once(unit)?.0.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_assembler_prints() {
        let log = "\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'a_f64' for 'sm_90'
ptxas info    : Function properties for a_f64
ptxas         .     48 bytes stack frame, 16 bytes spill stores, 24 bytes spill loads
ptxas info    : Used 101 registers, used 0 barriers, 40 bytes cumulative stack size
ptxas info    : Compile time = 23.582 ms
ptxas info    : Compiling entry function 'b_f64' for 'sm_90'
    8 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 22 registers, used 0 barriers
ptxas info    : Function properties for called
    40 bytes stack frame, 0 bytes spill stores, 4 bytes spill loads";
        let a =
            Usage { kernel: "a_f64".into(), registers: 101, stack: 48, spill_stores: 16, spill_loads: 24 };
        let b = Usage { kernel: "b_f64".into(), registers: 22, stack: 48, spill_stores: 0, spill_loads: 4 };
        assert_eq!(read(log), [a, b]);
    }
}
