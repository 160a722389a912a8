//! A neuron declared again with parameters of another kind, or with another input: the tokens of `redeclare!`.
//!
//! The macro of the crate that declares neurons puts the declaration behind what the user wrote:
//! `{ pub struct MyLif { learnable tau; } } { pub struct Lif { .. } }`. The result is a declaration like any other.

mod changes;
mod tokens;

use std::path::Path;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;

use crate::declarations::declarations;
use crate::expand;
use crate::report::{Diagnostic, Report};
use crate::source;
use crate::syntax::fragments;
use changes::{Base, Change};
use tokens::{after_attributes, is_word, items};

/// Expands `redeclare!`. The tokens begin with the path of the runtime crate and a semicolon, as for
/// [`expand::expand`]. Mistakes become `compile_error!`s, and are ignored otherwise, so that code that
/// uses the neuron gets no errors of its own.
pub fn expand(tokens: TokenStream, out_dir: Option<&Path>) -> TokenStream {
    let (krate, tokens) = expand::split(tokens);
    let mut report = Report::default();
    let declaration = redeclared(tokens, &mut report);
    let errors = report.to_compile_error();
    let expansion = declaration.map(|declaration| expand::expand(quote!(#krate; #declaration), out_dir));
    quote!(#errors #expansion)
}

/// The text of the declaration `base` under another name and with changes, `changes` being what would stand between the braces of
/// `redeclare!`.
///
/// # Errors
/// All mistakes in `name` and `changes`.
pub fn text(name: &str, changes: &str, base: &str) -> Result<String, Report> {
    let mut report = Report::default();
    let mut parsed = |what: &str, text: &str| {
        let reason = match source::too_deep(text) {
            Some(_) => source::TOO_DEEP.to_owned(),
            None => match text.parse::<TokenStream>() {
                Ok(tokens) => return Some(tokens),
                Err(error) => error.to_string(),
            },
        };
        report.push(Diagnostic::new(Span::call_site(), format!("{what} cannot be read: {reason}")));
        None
    };
    let parts =
        (parsed("the changes", changes), parsed("the declaration", base), syn::parse_str::<Ident>(name));
    let (Some(changes), Some(base), Ok(name)) = parts else {
        if report.is_empty() {
            let message = format!("`{name}` cannot be the name of a neuron");
            report.push(
                Diagnostic::new(Span::call_site(), message)
                    .help("expected an identifier such as `LearnedLif`"),
            );
        }
        return Err(report);
    };
    let declaration = redeclared(quote!({ pub struct #name { #changes } } { #base }), &mut report);
    match declaration {
        Some(declaration) if report.is_empty() => Ok(source::text(&declaration)),
        _ => Err(report),
    }
}

/// A macro `__declaration!` with the declarations of a crate: `__declaration! { Lif .. }` expands to `redeclare!` of the rest
/// and the declaration of `Lif`. For the build script of that crate; `folder` has the sources.
///
/// # Errors
/// A file cannot be read.
pub fn table(folder: &Path) -> std::io::Result<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    let (mut arms, mut names) = (String::new(), Vec::new());
    for file in files {
        // The compiler reports what is not Rust.
        for declaration in declarations(&std::fs::read_to_string(file)?).unwrap_or_default() {
            let Some(name) = Parts::of(declaration.clone()).map(|parts| parts.name.to_string()) else {
                continue;
            };
            arms.push_str(&format!(
                "    ({name} $($user:tt)*) => {{ $crate::__redeclare! {{ $crate; {{ $($user)* }} {{ {declaration} }} }} }};\n"
            ));
            names.push(name);
        }
    }
    let known = names.join(", ");
    Ok(format!(
        "#[doc(hidden)]\n#[macro_export]\nmacro_rules! __declaration {{\n{arms}    ($other:ident $($user:tt)*) => {{\n        \
         ::core::compile_error!(::core::concat!(\"no neuron `\", ::core::stringify!($other), \"`; available: {known}\"));\n    \
         }};\n}}\n"
    ))
}

/// The parts of a declaration.
struct Parts {
    /// Attributes: each a `#` and a group.
    attrs: Vec<TokenStream>,
    vis: TokenStream,
    name: Ident,
    body: TokenStream,
}

impl Parts {
    fn of(tokens: TokenStream) -> Option<Self> {
        let tokens: Vec<TokenTree> = fragments::plain(tokens).into_iter().collect();
        let start = after_attributes(&tokens);
        let attrs = tokens[..start].chunks(2).map(|attr| attr.iter().cloned().collect()).collect();
        let at = tokens.iter().skip(start).position(|token| is_word(token, "struct"))? + start;
        let vis = tokens[start..at].iter().cloned().collect();
        match &tokens[at + 1..] {
            [TokenTree::Ident(name), TokenTree::Group(body)] if body.delimiter() == Delimiter::Brace => {
                Some(Self { attrs, vis, name: name.clone(), body: body.stream() })
            }
            _ => None,
        }
    }
}

/// The declaration; `None` if the tokens are not two declarations.
fn redeclared(tokens: TokenStream, report: &mut Report) -> Option<TokenStream> {
    let groups = tokens.into_iter().filter_map(|token| match token {
        TokenTree::Group(group) => Parts::of(group.stream()),
        _ => None,
    });
    let Ok([user, base]) = <[Parts; 2]>::try_from(groups.collect::<Vec<_>>()) else {
        let message = "expected `struct NAME: NEURON { learnable PARAMETER, ..; array PARAMETER, ..; input NAME = EXPRESSION; }`";
        report.push(Diagnostic::new(Span::call_site(), message));
        return None;
    };
    // Tokens of the declaration are reported where the user named the neuron.
    let span = user.name.span();
    let mut base_items = Base::new(base.name, items(respanned(base.body, span)));
    for item in items(user.body) {
        if let Err(diagnostic) = Change::of(&item).and_then(|change| base_items.apply(change)) {
            report.push(diagnostic);
        }
    }
    let has_docs = user.attrs.iter().any(is_doc);
    let attrs = base.attrs.into_iter().filter(|attr| !has_docs || !is_doc(attr));
    let attrs = attrs.map(|attr| respanned(attr, span)).chain(user.attrs);
    let (vis, name, items) = (user.vis, user.name, base_items.finish().concat());
    Some(quote!(#(#attrs)* #vis struct #name { #(#items)* }))
}

fn is_doc(attr: &TokenStream) -> bool {
    matches!(attr.clone().into_iter().nth(1), Some(TokenTree::Group(group))
        if group.stream().into_iter().next().is_some_and(|word| is_word(&word, "doc")))
}

/// The same tokens at another place.
fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let respan = |token: TokenTree| {
        let mut token = match token {
            TokenTree::Group(group) => Group::new(group.delimiter(), respanned(group.stream(), span)).into(),
            token => token,
        };
        token.set_span(span);
        token
    };
    tokens.into_iter().map(respan).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::given_params;

    const LIF: &str = "{ /// Leaky.\n #[allow(deprecated)] pub struct Lif { /// Steps.\n param tau = 2.0 where tau > 1.0; \
                       flag fast = true; charge = v + if fast { x } else { (x - v) / tau }; reset hard; } }";

    fn run(user: &str) -> (String, Vec<String>) {
        let mut report = Report::default();
        let tokens: TokenStream = format!("{{ {user} }} {LIF}").parse().unwrap();
        let declaration = redeclared(tokens, &mut report).map(|tokens| tokens.to_string());
        (declaration.unwrap_or_default(), report.iter().map(Diagnostic::text).collect())
    }

    fn tokens(text: &str) -> String {
        text.parse::<TokenStream>().unwrap().to_string()
    }

    #[test]
    fn parameters_change_their_kind() {
        let (declaration, errors) =
            run("pub(crate) struct My { learnable tau, v_threshold; array v_reset; }");
        let doc = given_params().iter().map(|given| format!("#[doc = {:?}]", given.doc)).collect::<Vec<_>>();
        let expected = format!(
            "/// Leaky.\n #[allow(deprecated)] pub(crate) struct My {{ /// Steps.\n learnable tau = 2.0 where tau > 1.0; \
             flag fast = true; charge = v + if fast {{ x }} else {{ (x - v) / tau }}; reset hard; {} learnable \
             v_threshold = 1.0; {} array v_reset = 0.0; }}",
            doc[0], doc[1]
        );
        assert_eq!((declaration, errors), (tokens(&expected), Vec::new()));
        let (declaration, errors) = run("/// Mine.\n struct My { learnable tau, ; }");
        assert!(
            declaration.starts_with(&tokens("#[allow(deprecated)] /// Mine.\n struct My")),
            "{declaration}"
        );
        assert_eq!(errors, [""; 0]);
    }

    #[test]
    fn inputs_are_transformed() {
        let (declaration, errors) = run(
            "struct My { /// Gain.\n learnable scale = 1.0; array shift = 0.0; input x = scale * x + shift; }",
        );
        let expected = "/// Leaky.\n #[allow(deprecated)] struct My { /// Gain.\n learnable scale = 1.0; array shift = 0.0; \
                        /// Steps.\n param tau = 2.0 where tau > 1.0; flag fast = true; charge = v + if fast { \
                        (scale * x + shift) } else { ((scale * x + shift) - v) / tau }; reset hard; }";
        assert_eq!((declaration, errors), (tokens(expected), Vec::new()));
    }

    #[test]
    fn mistakes_are_reported_and_ignored() {
        for (user, error) in [
            (
                "learnable taw;",
                "`Lif` has no parameter `taw`\nhelp: its parameters are `tau`, `v_threshold`, `v_reset`",
            ),
            (
                "learnable fast;",
                "`Lif` has no parameter `fast`\nhelp: `fast` is a flag, which is the same for all neurons",
            ),
            ("array tau; learnable tau;", "`tau` is listed twice"),
            (
                "param tau;",
                "expected `learnable`, `array` or `input`, found `param`\nhelp: write for example `learnable tau, v_threshold;`",
            ),
            ("learnable;", "expected the names of parameters, separated by commas"),
            (
                "learnable tau = 3.0;",
                "`Lif` has a parameter `tau` already\nhelp: write `learnable tau;` or `array tau;` to change its kind; its \
                 default and range stay",
            ),
            ("input y = 2.0 * y;", "`Lif` has no input `y`\nhelp: its inputs are `x`"),
            (
                "input x;",
                "expected the name of an input, `=` and an expression\nhelp: write for example `input x = scale * x + shift;`",
            ),
            ("input x = ;", "expected an expression after `=`"),
            ("input x = x + 1.0; input x = 2.0 * x;", "`x` is listed twice"),
            ("= tau;", "expected `learnable`, `array` or `input`"),
        ] {
            let (declaration, errors) = run(&format!("struct My {{ {user} }}"));
            assert_eq!(errors, [error], "{user}");
            assert!(declaration.contains("struct My"));
        }
        let (declaration, errors) = run("struct My;");
        assert_eq!((declaration.as_str(), errors.len()), ("", 1));
    }

    #[test]
    fn text_is_a_declaration() {
        let lif = LIF.trim_start_matches('{').trim_end_matches('}');
        let text = |name, changes| {
            super::text(name, changes, lif)
                .map_err(|report| report.iter().map(Diagnostic::text).collect::<Vec<_>>())
        };
        let learned = text("Learned", "learnable tau; input x = 2.0 * x;").unwrap();
        assert!(
            learned.contains("pub struct Learned") && learned.contains("learnable tau = 2.0"),
            "{learned}"
        );
        assert!(crate::check::analyse(learned.parse().unwrap()).report.is_empty(), "{learned}");
        let errors = text("Learned", "learnable taw;").unwrap_err();
        assert!(errors[0].starts_with("`Lif` has no parameter `taw`"), "{errors:?}");
        assert!(text("not a name", "learnable tau;").unwrap_err()[0].starts_with("`not a name` cannot be"));
        let deep = format!("input x = {}x{};", "(".repeat(20_000), ")".repeat(20_000));
        for changes in ["learnable (tau;", &deep] {
            assert!(text("Learned", changes).unwrap_err()[0].starts_with("the changes cannot be read: "));
        }
    }

    #[test]
    fn tables_have_all_declarations() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurons/src");
        let table = table(&folder).unwrap();
        assert!(
            table.contains("(Lif $($user:tt)*)") && table.contains("available: ") && table.contains("If")
        );
        assert!(table.parse::<TokenStream>().is_ok());
    }

    #[test]
    fn inputs_are_transformed_at_once() {
        let base = "pub struct Two { charge = v + a * 2.0 - b; reset hard; input a, b; }";
        let changed = |changes| text("Other", changes, base).expect("changes without mistakes");
        for changes in ["input a = b; input b = a + 1.0;", "input b = a + 1.0; input a = b;"] {
            let declaration = changed(changes);
            assert!(declaration.contains("charge = v + (b) * 2.0 - (a + 1.0) ;"), "{declaration}");
            assert!(declaration.contains("input a , b ;"), "{declaration}");
        }
    }
}
