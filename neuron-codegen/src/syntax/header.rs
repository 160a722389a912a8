//! Everything around the body: attributes, visibility, name.

use proc_macro2::{Delimiter, Ident, Span, TokenStream};
use syn::buffer::TokenBuffer;
use syn::parse::{ParseStream, Parser as _};

use super::item::Declaration;
use super::items::Items;
use super::tokens::Tokens;
use crate::report::{Diagnostic, Report};

/// Parses a declaration. `None` if not even its name can be read.
pub fn parse(tokens: TokenStream, report: &mut Report) -> Option<Declaration> {
    let outside = |input: ParseStream<'_>| {
        let attrs = input.call(syn::Attribute::parse_outer)?;
        let vis: syn::Visibility = input.parse()?;
        Ok((attrs, vis, input.parse::<TokenStream>()?))
    };
    let (attrs, vis, rest) = match outside.parse2(tokens) {
        Ok(parts) => parts,
        Err(error) => {
            report.push(Diagnostic::new(error.span(), error.to_string()));
            return None;
        }
    };
    let (doc, attrs) = split_doc(attrs);
    let buffer = TokenBuffer::new2(rest);
    let mut tokens = Tokens::new(buffer.begin(), Span::call_site(), Span::call_site());
    let name = name(&mut tokens, report)?;
    let mut declaration =
        Declaration { attrs, doc, vis, name, items: Vec::new(), lost: Vec::new(), complete: false };
    body(&mut tokens, &mut declaration, report);
    if !tokens.is_empty() && declaration.complete {
        let found = tokens.describe();
        report.push(
            Diagnostic::new(tokens.extent(), format!("expected the end of the declaration, found {found}"))
                .help("one `neuron!` declares one neuron; write another `neuron! { .. }` for the next"),
        );
    }
    Some(declaration)
}

/// `struct Name`
fn name(tokens: &mut Tokens<'_>, report: &mut Report) -> Option<Ident> {
    const EXAMPLE: &str = "a declaration looks like `pub struct Lif { charge = v + x; reset hard; }`";
    let mut ahead = *tokens;
    let first = ahead.ident();
    if !tokens.at("struct") {
        let found = tokens.describe();
        let error = Diagnostic::new(tokens.extent(), format!("expected `struct`, found {found}"));
        report.push(match &first {
            Some(name) if ahead.at_group(Delimiter::Brace) => error.help(format!("write `struct {name}`")),
            _ => error.help(EXAMPLE),
        });
        // What is a name although no keyword stands before it, and what is one after the wrong keyword.
        if ahead.at_group(Delimiter::Brace) {
            return tokens.ident();
        }
    }
    first?;
    *tokens = ahead;
    match tokens.peek_ident() {
        Some(name) if !super::is_keyword(&name) => tokens.ident(),
        _ => {
            if report.is_empty() {
                let found = tokens.describe();
                report.push(
                    Diagnostic::new(
                        tokens.extent(),
                        format!("expected the name of the neuron, found {found}"),
                    )
                    .help(EXAMPLE),
                );
            }
            None
        }
    }
}

/// `{ items }`
fn body(tokens: &mut Tokens<'_>, declaration: &mut Declaration, report: &mut Report) {
    let name = &declaration.name;
    let example = format!("write `struct {name} {{ charge = v + x; reset hard; }}`");
    if tokens.at_operator("<") {
        let start = tokens.extent();
        while !tokens.is_empty() && !tokens.at_group(Delimiter::Brace) {
            tokens.skip();
        }
        report.push(
            Diagnostic::new(start.to(tokens.previous()), "a neuron has no type parameters")
                .help("its parameters are declared in the body: `param tau = 2.0;`"),
        );
    }
    let Some((inside, extent)) = tokens.group(Delimiter::Brace) else {
        if !report.is_empty() {
            return;
        }
        let found = tokens.describe();
        report.push(if tokens.at_group(Delimiter::Parenthesis) {
            Diagnostic::new(tokens.extent(), "the body of a neuron stands in braces, found `(`").help(example)
        } else if tokens.is_empty() {
            Diagnostic::new(name, format!("`{name}` has no body")).help(example)
        } else {
            Diagnostic::new(tokens.extent(), format!("expected `{{`, found {found}")).help(example)
        });
        return;
    };
    if inside.is_empty() {
        report.push(
            Diagnostic::new(extent, format!("`{name}` is empty: it needs at least `charge` and `reset`"))
                .help(example),
        );
        return;
    }
    let mut items = Items { tokens: inside, report, items: Vec::new(), lost: Vec::new(), complete: true };
    items.parse();
    let Items { items, lost, complete, .. } = items;
    (declaration.items, declaration.lost, declaration.complete) = (items, lost, complete);
}

/// Separates doc comments, one entry a line, from other attributes.
pub fn split_doc(attrs: Vec<syn::Attribute>) -> (Vec<String>, Vec<syn::Attribute>) {
    let (mut doc, mut others) = (Vec::new(), Vec::new());
    for attr in attrs {
        match doc_text(&attr) {
            Some(text) => {
                doc.extend(text.split('\n').map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()));
            }
            None => others.push(attr),
        }
    }
    (doc, others)
}

fn doc_text(attr: &syn::Attribute) -> Option<String> {
    let syn::Meta::NameValue(meta) = &attr.meta else { return None };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &meta.value else { return None };
    meta.path.is_ident("doc").then(|| text.value())
}
