//! Documentation of what is generated.

use proc_macro2::TokenStream;
use quote::quote;

/// Doc attributes, one a line.
pub fn docs<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> TokenStream {
    lines
        .into_iter()
        .map(|line| {
            // As rustdoc has it after `///`: with a leading space.
            let line = match line.as_ref() {
                "" => String::new(),
                text if text.starts_with(' ') => text.to_owned(),
                text => format!(" {text}"),
            };
            quote! { #[doc = #line] }
        })
        .collect()
}
