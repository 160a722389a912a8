//! The proc macro behind `neuron_runtime::neuron!`. Tokens in, tokens out; every decision is in
//! `neuron-codegen`.

use proc_macro::TokenStream;

/// Expands the declaration of a neuron. Use it as `neurons::neuron!` or `neuron_runtime::neuron!`, where it
/// is documented.
#[proc_macro]
pub fn neuron(tokens: TokenStream) -> TokenStream {
    neuron_codegen::expand::expand(tokens.into()).into()
}
