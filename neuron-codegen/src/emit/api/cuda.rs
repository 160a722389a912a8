//! The neuron's kernels for the GPU, in source and compiled.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;

use super::variant_of;
use crate::build::images;
use crate::emit;
use crate::gradient::Derived;
use crate::identifiers;
use crate::kernel::Program;

/// The value of `SPEC.cuda`.
pub fn cuda(derived: &Derived, programs: &[Program], out_dir: Option<&Path>) -> TokenStream {
    let source = emit::cuda::source(derived, programs);
    let name = identifiers::text(&derived.model.name);
    let images = out_dir.map(|out_dir| images::embeddable(out_dir, &name, &source)).unwrap_or_default();
    // `include_bytes!` rather than the bytes as tokens: the compiler reads the file by itself, and knows then
    // that the crate depends on it.
    let images = images.iter().map(|image| {
        let (format, target, path) = (variant_of(image.format), variant_of(image.target), &image.path);
        quote! {
            Image {
                format: Format::#format,
                target: Target::#target,
                compressed: ::core::include_bytes!(#path),
            }
        }
    });
    // The macro does not see comments, so the reason is here. SAFETY: the kernels were printed from the programs whose
    // signatures the specification lists.
    quote! { unsafe { Cuda::new(#source, &[#(#images),*]) } }
}
