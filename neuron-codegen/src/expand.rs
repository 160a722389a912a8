//! The whole path, from the tokens of a declaration to those of its expansion.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::check::analyse;
use crate::conditional::{self, Conditions};
use crate::emit::api;
use crate::source;

/// Expands a declaration. The tokens may begin with the path of the runtime crate and a semicolon, as the
/// runtime's own `neuron!` writes it, so that users need not depend on that crate by name.
///
/// Mistakes become `compile_error!`s at their places, what is dubious warnings. As far as the declaration could be understood, the
/// struct and its methods are emitted all the same, so that code that uses them gets no errors of its own.
/// `#[cfg(..)]` on the declaration applies to all of that.
///
/// `out_dir` is the `OUT_DIR` of the crate, if it has one: kernels that its build script has compiled there
/// (see [`build`](crate::build)) are embedded.
pub fn expand(tokens: TokenStream, out_dir: Option<&Path>) -> TokenStream {
    let (krate, declaration) = split(tokens);
    let text = source::text(&declaration);
    let conditions = Conditions::of(&declaration);
    let analysis = analyse(declaration);
    let errors = analysis.report.to_compile_error();
    let attrs = analysis.model.as_ref().map_or(&[][..], |model| &model.attrs);
    let warnings = analysis.warnings.to_warnings(&levels(attrs));
    let code = analysis.model.map(|mut model| {
        model.attrs = conditional::without(std::mem::take(&mut model.attrs));
        api::expand(model, &text, &krate, out_dir)
    });
    conditions.apply(quote! { #errors #warnings #code })
}

/// What the declaration's attributes say of lints: warnings are silenced as any other on the struct.
pub(crate) fn levels(attrs: &[syn::Attribute]) -> TokenStream {
    let is_level = |attr: &&syn::Attribute| attr.path().is_ident("allow");
    attrs.iter().filter(is_level).map(|attr| quote!(#attr)).collect()
}

/// Takes `$crate;` off the front. The token keeps where it came from, so it cannot be made up here.
pub(crate) fn split(tokens: TokenStream) -> (TokenStream, TokenStream) {
    let mut rest = tokens.clone().into_iter();
    match (rest.next(), rest.next()) {
        (Some(TokenTree::Ident(krate)), Some(TokenTree::Punct(end)))
            if krate == "$crate" && end.as_char() == ';' =>
        {
            (quote!(#krate), rest.collect())
        }
        _ => (quote!(::neuron_runtime), tokens),
    }
}
