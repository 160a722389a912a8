//! Declarations that are there under a condition only: `#[cfg(..)]`, which stands before a single declaration, applies
//! to each of the items that it becomes.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token, parse_quote};

use crate::syntax::fragments;

/// The attributes of a declaration that say whether it is there.
pub struct Conditions(Vec<Attribute>);

impl Conditions {
    /// Of the declaration with these tokens, be it wrong.
    pub fn of(declaration: &TokenStream) -> Self {
        let front = |input: ParseStream<'_>| {
            let attrs = input.call(Attribute::parse_outer)?;
            input.parse::<TokenStream>()?;
            Ok(attrs)
        };
        // What is wrong with attributes is reported by the parser of declarations.
        let attrs = front.parse2(fragments::plain(declaration.clone())).unwrap_or_default();
        Self(attrs.into_iter().filter_map(|attr| split(attr).0).collect())
    }

    /// `items`, each of them under the conditions.
    pub fn apply(&self, items: TokenStream) -> TokenStream {
        let Self(conditions) = self;
        // Most declarations have none, and need not be parsed again.
        if conditions.is_empty() {
            return items;
        }
        match syn::parse2::<syn::File>(items.clone()) {
            Ok(syn::File { items, .. }) => {
                items.iter().map(|item| quote! { #(#conditions)* #item }).collect()
            }
            Err(_) => items,
        }
    }
}

/// Attributes without those that say whether the declaration is there.
pub fn without(attrs: Vec<Attribute>) -> Vec<Attribute> {
    attrs.into_iter().filter_map(|attr| split(attr).1).collect()
}

/// What an attribute says about whether the declaration is there, and what it says besides.
fn split(attr: Attribute) -> (Option<Attribute>, Option<Attribute>) {
    let (condition, rest) = split_meta(&attr.meta);
    let with = |meta: Option<Meta>| meta.map(|meta| Attribute { meta, ..attr.clone() });
    (with(condition), with(rest))
}

fn split_meta(meta: &Meta) -> (Option<Meta>, Option<Meta>) {
    let list = match meta {
        Meta::List(list) if list.path.is_ident("cfg") => return (Some(meta.clone()), None),
        Meta::List(list) if list.path.is_ident("cfg_attr") => list,
        _ => return (None, Some(meta.clone())),
    };
    // The predicate may be `true`, which is no path of an attribute.
    let mut rest = list.tokens.clone().into_iter();
    let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',');
    let predicate: TokenStream = rest.by_ref().take_while(|tree| !is_comma(tree)).collect();
    let parts = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(rest.collect());
    let Ok(parts) = parts else { return (None, Some(meta.clone())) };
    let (mut conditions, mut others) = (Vec::new(), Vec::new());
    for part in parts {
        let (condition, other) = split_meta(&part);
        conditions.extend(condition);
        others.extend(other);
    }
    let joined = |parts: Vec<Meta>| -> Option<Meta> {
        (!parts.is_empty()).then(|| parse_quote!(cfg_attr(#predicate, #(#parts),*)))
    };
    (joined(conditions), joined(others))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(attr: Option<Attribute>) -> String {
        attr.map(|attr| quote!(#attr).to_string().replace(' ', "")).unwrap_or_default()
    }

    #[test]
    fn conditions_are_told_from_other_attributes() {
        for (attr, condition, rest) in [
            (parse_quote!(#[cfg(feature = "a")]), "#[cfg(feature=\"a\")]", ""),
            (parse_quote!(#[cfg(true)]), "#[cfg(true)]", ""),
            (parse_quote!(#[allow(deprecated)]), "", "#[allow(deprecated)]"),
            (parse_quote!(#[cfg_attr(unix, derive(Eq))]), "", "#[cfg_attr(unix,derive(Eq))]"),
            (parse_quote!(#[cfg_attr(true, cfg(test))]), "#[cfg_attr(true,cfg(test))]", ""),
            (parse_quote!(#[cfg_attr(unix, cfg(test))]), "#[cfg_attr(unix,cfg(test))]", ""),
            (
                parse_quote!(#[cfg_attr(not(unix), derive(Eq), cfg_attr(test, cfg(a), doc = "b"), must_use)]),
                "#[cfg_attr(not(unix),cfg_attr(test,cfg(a)))]",
                "#[cfg_attr(not(unix),derive(Eq),cfg_attr(test,doc=\"b\"),must_use)]",
            ),
        ] {
            let found = split(attr);
            assert_eq!((text(found.0), text(found.1)), (condition.to_owned(), rest.to_owned()));
        }
    }
}
