//! Names of kernels.
//!
//! A kernel has a name within its neuron, `hard_reset_fptt`. With the neuron's module and the data format, it becomes the
//! symbol of an image, `lif_hard_reset_fptt_f32`.

use crate::{Format, Reset, Template};

/// Sums rows of gradients of parameters.
pub const SUM_ROWS: &str = "sum_rows";

/// Sums adjacent ones of them.
pub const SUM_SEGMENTS: &str = "sum_segments";

/// Packs spikes into bits.
pub const PACK_SPIKES: &str = "pack_spikes";

/// Unpacks spikes from bits.
pub const UNPACK_SPIKES: &str = "unpack_spikes";

/// The name of the kernel of a template with a reset mode, which is ignored if the template does not depend on it.
pub fn name(template: Template, reset: Reset) -> String {
    let prefix = if template.resets() { reset.prefix() } else { "" };
    format!("{prefix}{}", template.name())
}

/// The name of the kernel that does the same as the kernel `name`, for few neurons.
pub fn few(name: &str) -> String {
    format!("{name}_few")
}

/// The name of the kernel that does the same as the kernel `name` by a scan over time, up to rounding.
pub fn scan(name: &str) -> String {
    format!("{name}_scan")
}

/// The symbol of the kernel `name` of the neuron with the given module.
pub fn symbol(module: &str, name: &str, format: Format) -> String {
    format!("{module}_{name}_{format}")
}

/// The name of the kernel with the given symbol, if it belongs to that neuron and format.
pub fn name_of<'s>(symbol: &'s str, module: &str, format: Format) -> Option<&'s str> {
    symbol.strip_prefix(module)?.strip_prefix('_')?.strip_suffix(format.name())?.strip_suffix('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_symbols() {
        assert_eq!(name(Template::Fptt, Reset::None), "no_reset_fptt");
        assert_eq!(name(Template::Bptt, Reset::Hard), "bptt");
        for module in ["lif", "if_", "a_f16"] {
            for format in Format::ALL {
                let symbol = symbol(module, SUM_ROWS, format);
                assert_eq!(name_of(&symbol, module, format), Some(SUM_ROWS));
            }
        }
        assert_eq!(name_of("lif_bptt_f32", "if_", Format::F32), None);
        assert_eq!(name_of("lif_bptt_bf16", "lif", Format::F16), None);
    }
}
