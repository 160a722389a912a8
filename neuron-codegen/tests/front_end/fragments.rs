//! Declarations that `macro_rules!` builds: its fragments, which arrive in invisible groups, mean what they would mean
//! written out.

use neuron_codegen::check::{Analysis, analyse};
use neuron_codegen::expand::expand;
use neuron_codegen::source;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::messages;

/// `text`, in which `⟨` and `⟩`, written `[` and `]`, are the ends of invisible groups.
fn fragments(text: &str) -> TokenStream {
    invisible(text.parse().expect("tokens"))
}

fn invisible(tokens: TokenStream) -> TokenStream {
    let mut is_attribute = false;
    let each = tokens.into_iter().map(|tree| match tree {
        TokenTree::Group(group) => {
            let delimiter = match group.delimiter() {
                Delimiter::Bracket if !is_attribute => Delimiter::None,
                other => other,
            };
            is_attribute = false;
            TokenTree::Group(Group::new(delimiter, invisible(group.stream())))
        }
        tree => {
            is_attribute = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#');
            tree
        }
    });
    each.collect()
}

/// With fragments, and the same as it would be written out.
const PAIRS: [(&str, &str); 13] = [
    ("charge = v^[2] + x; reset hard;", "charge = v^2 + x; reset hard;"),
    ("charge = v^-[2] + x; reset hard;", "charge = v^-2 + x; reset hard;"),
    ("charge = 1.0 + v^[-2] * x; reset hard;", "charge = 1.0 + v^(-2) * x; reset hard;"),
    ("charge = [v + x]^[[2]]; reset hard;", "charge = (v + x)^2; reset hard;"),
    ("charge = 2.0 * [-x + v]; reset hard;", "charge = 2.0 * (-x + v); reset hard;"),
    ("charge = [x + v] * 2.0 - [!(v > x)]; reset hard;", "charge = (x + v) * 2.0 - (!(v > x)); reset hard;"),
    (
        "flag f = [true]; charge = if [f] { v } else { [[x]] }; reset hard;",
        "flag f = true; charge = if f { v } else { x }; reset hard;",
    ),
    (
        "charge = if [v > x && v > 0.0] || x > 0.0 { [-v] } else { x }; reset hard;",
        "charge = if (v > x && v > 0.0) || x > 0.0 { -v } else { x }; reset hard;",
    ),
    (
        "param a = [-1.0] where [a < 0.0], [a > -2.0]; charge = v + a * x; reset hard;",
        "param a = (-1.0) where (a < 0.0), (a > -2.0); charge = v + a * x; reset hard;",
    ),
    ("charge = [tanh](v) + [min](x, [v]); reset [soft];", "charge = tanh(v) + min(x, v); reset soft;"),
    ("charge = v + x; reset [hard | soft];", "charge = v + x; reset hard | soft;"),
    (
        "[state] [q] = [0.0]; [let a = [v + x]]; charge = a - q; update [q] = [spike]; reset [hard] | [[none]];",
        "state q = 0.0; let a = (v + x); charge = a - q; update q = spike; reset hard | none;",
    ),
    ("[input] [i], [j]; charge = v + [i] * [j]; reset hard;", "input i, j; charge = v + i * j; reset hard;"),
];

#[test]
fn fragments_mean_what_they_would_written_out() {
    for (macros, written) in PAIRS {
        let tokens = fragments(&format!("#[derive(Eq)] [pub (crate)] struct [Case] {{ {macros} }}"));
        let written: TokenStream =
            format!("#[derive(Eq)] pub(crate) struct Case {{ {written} }}").parse().expect("tokens");
        let Analysis { report, warnings, .. } = analyse(tokens.clone());
        let (told, expected) = (report.iter().chain(warnings.iter()), analyse(written.clone()));
        let told: Vec<String> = told.map(|it| it.text()).collect();
        let expected: Vec<String> =
            expected.report.iter().chain(expected.warnings.iter()).map(|it| it.text()).collect();
        assert_eq!(told, expected, "{macros}");
        let spaceless = |tokens: &TokenStream| tokens.to_string().replace(' ', "");
        let expansion = spaceless(&expand(tokens.clone(), None));
        assert!(expansion == spaceless(&expand(written, None)), "{macros}");
        // What `SPEC` carries can be read again.
        let text: TokenStream = source::text(&tokens).parse().expect("tokens");
        assert!(spaceless(&expand(text.clone(), None)) == expansion, "{text}");
    }
}

#[test]
fn mistakes_in_fragments_are_found() {
    for (body, expected) in [
        ("charge = v^[1 + 1] + x; reset hard;", "the exponent of a power is an integer, found `(1 + 1)`"),
        (
            "param n = 2.0; charge = v^[n] + x; reset hard;",
            "the exponent of a power is an integer, found `n`",
        ),
        ("flag f = [1.0]; charge = if f { v } else { x }; reset hard;", "the default of a flag is `true` or"),
        ("charge = v [x]; reset hard;", "expected an operator or `;`, found `x`"),
        ("charge = v [x + v]; reset hard;", "expected an operator or `;`, found `x + v`"),
        ("charge = v + x; reset [hard + soft];", "expected a reset mode, found `hard + soft`"),
        ("charge [= v] + x; reset hard;", "expected `=` after `charge`, found `= v`"),
    ] {
        let found = analyse(fragments(&format!("struct Bad {{ {body} }}"))).report;
        let found: Vec<String> = found.iter().map(|error| error.text()).collect();
        assert!(found.len() == 1 && found[0].starts_with(expected), "{body}: {found:#?}");
    }
}

#[test]
fn raw_identifiers_are_names() {
    // A keyword may stand where only a name can; the rest is for the check to say.
    for source in [
        "struct Bad { param type = 1.0; charge = v + type * x; reset hard; }",
        "struct Bad { input loop; charge = v + loop; reset hard; }",
    ] {
        let found = messages(source);
        let hint = found[0].lines().last().unwrap_or_default().to_owned();
        assert!(found.len() == 1 && hint.contains("write `r#"), "{source}: {found:#?}");
    }
    for source in [
        "struct self { charge = v + x; reset hard; }",
        "struct Bad { param super = 1.0; charge = v + super * x; reset hard; }",
    ] {
        let found = messages(source);
        assert!(found.len() == 1 && !found[0].contains("r#"), "{source}: {found:#?}");
    }
}
