//! `CUDA`: the neuron's kernels for the GPU, in source and compiled.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;

use crate::build::images;
use crate::emit;
use crate::gradient::Derived;
use crate::identifiers;
use crate::kernel::Program;

/// `pub static CUDA: Cuda`.
pub fn cuda(derived: &Derived, programs: &[Program], out_dir: Option<&Path>) -> TokenStream {
    let source = emit::cuda::source(derived, programs);
    let name = identifiers::text(&derived.model.name);
    let images = out_dir.map(|out_dir| images::embeddable(out_dir, &name, &source)).unwrap_or_default();
    // `include_bytes!` rather than the bytes as tokens: the compiler reads the file by itself, and knows then
    // that the crate depends on it.
    let images = images.iter().map(|image| {
        let (format, target, path) = (image.format.name(), image.target.to_string(), &image.path);
        quote! { Image { format: #format, target: #target, compressed: ::core::include_bytes!(#path) } }
    });
    quote! {
        /// The kernels for the GPU: their source, and what was compiled when the crate was built.
        pub static CUDA: Cuda = Cuda { source: #source, images: &[#(#images),*] };
    }
}
