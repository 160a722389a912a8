//! Everything around the body: attributes, visibility, name.

use proc_macro2::{Delimiter, Ident, Span, TokenStream};
use syn::buffer::TokenBuffer;
use syn::parse::{ParseStream, Parser as _};

use super::item::Declaration;
use super::items::Items;
use super::tokens::Tokens;
use super::{Grammar, NEURON, fragments};
use crate::report::{Diagnostic, Report};

/// Parses the declaration of a neuron. `None` if not even its name can be read.
pub fn parse(tokens: TokenStream, report: &mut Report) -> Option<Declaration> {
    parse_as(&NEURON, tokens, report)
}

/// Parses a declaration. `None` if not even its name can be read.
pub fn parse_as(grammar: &'static Grammar, tokens: TokenStream, report: &mut Report) -> Option<Declaration> {
    let outside = |input: ParseStream<'_>| {
        let attrs = input.call(syn::Attribute::parse_outer)?;
        let vis: syn::Visibility = input.parse()?;
        Ok((attrs, vis, input.parse::<TokenStream>()?))
    };
    let (attrs, vis, rest) = match outside.parse2(fragments::plain(tokens)) {
        Ok(parts) => parts,
        Err(error) => {
            report.push(Diagnostic::new(error.span(), error.to_string()));
            return None;
        }
    };
    let (doc, attrs) = split_doc(attrs);
    let buffer = TokenBuffer::new2(rest);
    let mut tokens = Tokens::new(buffer.begin(), Span::call_site(), Span::call_site());
    let name = name(grammar, &mut tokens, report)?;
    let mut declaration = Declaration {
        attrs,
        doc,
        vis,
        name,
        items: Vec::new(),
        lost: Vec::new(),
        nameless: false,
        complete: false,
    };
    body(grammar, &mut tokens, &mut declaration, report);
    if !tokens.is_empty() && declaration.complete {
        let found = tokens.describe();
        report.push(
            Diagnostic::new(tokens.extent(), format!("expected the end of the declaration, found {found}"))
                .help(format!(
                    "one `{0}!` declares one {0}; write another `{0}! {{ .. }}` for the next",
                    grammar.declares
                )),
        );
    }
    Some(declaration)
}

/// `struct Name`
fn name(grammar: &Grammar, tokens: &mut Tokens<'_>, report: &mut Report) -> Option<Ident> {
    let word = grammar.word;
    let example = format!("a declaration looks like `{}`", grammar.example);
    let mut ahead = *tokens;
    let first = ahead.ident();
    let is_name =
        first.as_ref().is_some_and(|first| !super::is_keyword(first)) && ahead.at_group(Delimiter::Brace);
    if !tokens.at(word) {
        let found = tokens.describe();
        let error = Diagnostic::new(tokens.extent(), format!("expected `{word}`, found {found}"));
        report.push(match &first {
            Some(name) if is_name => error.help(format!("write `{word} {name}`")),
            _ => error.help(&example),
        });
        // What is a name although no keyword stands before it, and what is one after the wrong keyword.
        if is_name {
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
                        format!("expected the name of the {}, found {found}", grammar.declares),
                    )
                    .help(example),
                );
            }
            None
        }
    }
}

/// `{ items }`
fn body(
    grammar: &'static Grammar,
    tokens: &mut Tokens<'_>,
    declaration: &mut Declaration,
    report: &mut Report,
) {
    let (name, article) = (&declaration.name, grammar.article);
    let example = format!("write `{} {name} {{ {} }}`", grammar.word, grammar.body);
    if tokens.at_operator("<") {
        let start = tokens.extent();
        while !tokens.is_empty() && !tokens.at_group(Delimiter::Brace) {
            tokens.skip();
        }
        report.push(
            Diagnostic::new(start.to(tokens.previous()), format!("{article} has no type parameters"))
                .help("its parameters are declared in the body: `param tau = 2.0;`"),
        );
    }
    let Some((inside, extent)) = tokens.group(Delimiter::Brace) else {
        if !report.is_empty() {
            return;
        }
        let found = tokens.describe();
        report.push(if tokens.at_group(Delimiter::Parenthesis) {
            Diagnostic::new(tokens.extent(), format!("the body of {article} stands in braces, found `(`"))
                .help(example)
        } else if tokens.is_empty() {
            Diagnostic::new(name, format!("`{name}` has no body")).help(example)
        } else {
            Diagnostic::new(tokens.extent(), format!("expected `{{`, found {found}")).help(example)
        });
        return;
    };
    if inside.is_empty() {
        report.push(
            Diagnostic::new(extent, format!("`{name}` is empty: it needs at least {}", grammar.needs))
                .help(example),
        );
        return;
    }
    let mut items = Items {
        grammar,
        tokens: inside,
        report,
        items: Vec::new(),
        lost: Vec::new(),
        complete: true,
        nameless: false,
        doubtful: Vec::new(),
    };
    items.parse();
    let Items { items, lost, complete, nameless, .. } = items;
    (declaration.items, declaration.lost) = (items, lost);
    (declaration.complete, declaration.nameless) = (complete, nameless);
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
