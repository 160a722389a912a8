//! The proc macros behind `neuron_runtime::neuron!` and `surrogate!`. Tokens in, tokens out; every decision is in
//! `neuron-codegen`.

use std::path::Path;

use proc_macro::TokenStream;

/// Expands the declaration of a neuron. Use it as `neurons::neuron!` or `neuron_runtime::neuron!`, where it
/// is documented.
#[proc_macro]
pub fn neuron(tokens: TokenStream) -> TokenStream {
    let out_dir = std::env::var_os("OUT_DIR");
    neuron_codegen::expand::expand(tokens.into(), out_dir.as_deref().map(Path::new)).into()
}

/// Expands a neuron that is declared again with parameters of another kind. Use it as `neurons::redeclare!`, where it is
/// documented.
#[proc_macro]
pub fn redeclare(tokens: TokenStream) -> TokenStream {
    let out_dir = std::env::var_os("OUT_DIR");
    neuron_codegen::redeclare::expand(tokens.into(), out_dir.as_deref().map(Path::new)).into()
}

/// Expands the declaration of a surrogate. Use it as `neurons::surrogate!` or `neuron_runtime::surrogate!`, where
/// it is documented.
#[proc_macro]
pub fn surrogate(tokens: TokenStream) -> TokenStream {
    neuron_codegen::surrogate::expand(tokens.into()).into()
}
