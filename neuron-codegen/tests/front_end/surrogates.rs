//! Surrogates: what gradient is derived, and what comes of mistakes.

use neuron_codegen::declarations::all;
use neuron_codegen::surrogate::{Analysis, Description, Surrogate, analyse, expand};
use proc_macro2::TokenStream;

use super::mistakes::{diagnosed, each_block};
use super::recovery::{SLIPS, change};

fn messages(source: &str) -> Vec<String> {
    let Analysis { report, .. } = analyse(source.parse().expect("valid tokens"));
    report.iter().map(|diagnostic| diagnostic.text()).collect()
}

/// The surrogate with that body.
fn surrogate(body: &str) -> Surrogate {
    let source = format!("surrogate Good {{ {body} }}");
    let Analysis { surrogate, report, .. } = analyse(source.parse().expect("valid tokens"));
    let texts: Vec<_> = report.iter().map(|diagnostic| diagnostic.text()).collect();
    assert!(texts.is_empty(), "{source}: {texts:#?}");
    surrogate.expect("a surrogate without errors")
}

#[test]
fn gradients_are_as_somebody_would_write_them() {
    let a = "param a = 1.0;";
    for (primitive, gradient) in [
        // Numbers are merged, factors cancel, one division is left.
        ("atan(PI / 2.0 * a * u) / PI", "0.5 * a / (1 + (1.5707963267948966 * a * u)^2)"),
        ("sin(3.0 * a * u) / (3.0 * a)", "cos(3 * a * u)"),
        ("ln(1.0 + u * u) * 0.5 * a", "a * u / (1 + u^2)"),
        ("a / (1.0 + u^2)", "-(2 * a * u / (1 + u^2)^2)"),
        // A choice within an alternative of the same is decided, equal alternatives are one.
        ("if u < 0.0 { a * abs(u) } else { -a * abs(u) }", "-a"),
        ("if u >= 0.0 { a * abs(u) } else { -a * abs(u) }", "a"),
        ("if u < 0.0 { a / (1.0 + abs(u)) } else { -a / (1.0 + abs(u)) }", "a / (1 + abs(u))^2"),
        (
            "if u > 0.0 { tanh(u) } else { if u <= 0.0 { a * u } else { u } }",
            "if 0 < u { 4 * exp(-(2 * abs(u))) / (1 + exp(-(2 * abs(u))))^2 } else { a }",
        ),
        // What changes its sign with a number is its magnitude.
        ("a * u * abs(u)", "2 * a * abs(u)"),
        ("max(a * u, 0.1 * u)", "if 0.1 * u < a * u { a } else { 0.1 }"),
        // Nothing is made of what may differ.
        ("if u < 1.0 { a * u } else { u }", "if u < 1 { a } else { 1 }"),
        ("a * u^2", "2 * a * u"),
    ] {
        assert_eq!(
            surrogate(&format!("{a} primitive = {primitive};")).gradient_text(),
            gradient,
            "{primitive}"
        );
    }
    let named = surrogate(
        "param a = 1.0; let z = 1.0 + a * abs(u); primitive = if u < 0.0 { 1.0 / z } else { 2.0 - 1.0 / z };",
    );
    assert_eq!(named.gradient_text(), "a / z^2 where z = 1 + a * abs(u)");
}

#[test]
fn not_a_number_stays_that() {
    let guarded = |primitive: &str| {
        Description::new(&surrogate(&format!("primitive = {primitive};"))).cuda.contains("u != u")
    };
    assert!(!guarded("tanh(u)") && !guarded("if u < 0.0 { 0.1 * u } else { u + tanh(u) }"));
    assert!(guarded("if u < 0.0 { u + tanh(u) } else { 0.1 * u }") && guarded("2.0 * u"));
}

/// As `mistakes.txt` and `warnings.txt`.
const MISTAKES: &str = include_str!("surrogate_mistakes.txt");
const WARNINGS: &str = include_str!("surrogate_warnings.txt");

#[test]
fn each_mistake_gives_one_error() {
    let cases = each_block(MISTAKES, |source, expected| {
        assert_eq!(diagnosed(source, &analyse(source.parse().unwrap()).report), expected, "{source}");
    });
    assert!(cases > 40);
}

#[test]
fn each_is_warned_of_once() {
    let cases = each_block(WARNINGS, |source, expected| {
        let Analysis { report, warnings, .. } = analyse(source.parse().unwrap());
        assert!(report.is_empty(), "{source}: {report:#?}");
        assert_eq!(diagnosed(source, &warnings), expected, "{source}");
    });
    assert!(cases > 5);
}

#[test]
fn what_neurons_may_write_surrogates_may_write_too() {
    // Conditions have names, defaults use those of other parameters, ranges and choices are believed.
    let near = surrogate("let near = abs(u) < 1.0; primitive = if near { 0.5 * u } else { 0.1 * u };");
    assert_eq!(near.gradient_text(), "if near { 0.5 } else { 0.1 } where near = abs(u) < 1");
    let cuda = Description::new(&near).cuda;
    assert!(cuda.contains("const bool near = "), "{cuda}");
    let halves = surrogate("param b = a / 2.0; param a = 3.0 * PI; primitive = sigmoid(a * u) + b * u;");
    assert_eq!(halves.params[0].default, 1.5 * std::f64::consts::PI);
    for body in [
        "param a = 1.0 where a > 0.0; primitive = sigmoid(u / a);",
        "param a = 1.0; param b = 2.0 where b > a; primitive = sigmoid(u / (b - a)) * ln(b - a);",
        "primitive = if u > 0.0 { ln(1.0 + u) } else { u / (1.0 - u) };",
        "param limit = 2.0; param a = 1.0 where a < limit; primitive = sigmoid(a * u);",
    ] {
        let warnings = analyse(format!("surrogate Good {{ {body} }}").parse().unwrap()).warnings;
        assert!(warnings.is_empty(), "{body}: {warnings:#?}");
        surrogate(body);
    }
}

#[test]
fn the_surrogates_of_the_runtime_are_silent() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../neuron-runtime/src/surrogate/built_in.rs");
    let declarations = all(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(declarations.len(), 17);
    for declaration in declarations {
        let Analysis { report, warnings, .. } = analyse(declaration.contents);
        assert!(report.is_empty() && warnings.is_empty(), "{report:#?} {warnings:#?}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once_in_order() {
    let source = "surrogate Bad {
        param alpha = 0.5 where alpha > 1.0;
        param idle = 1.0;
        let near = abs(U) < 1.0;
        primitive = if near { tahn(alpha * u) } else { u^1.5 };
    }";
    let found: Vec<_> =
        messages(source).iter().map(|text| text.lines().next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        found,
        [
            "the default of `alpha`, 0.5, is outside its range `alpha > 1.0`",
            "the parameter `idle` is never used",
            "unknown name `U`",
            "unknown function `tahn`",
            "the exponent of a power is an integer, found `1.5`",
        ]
    );
}

/// As those of neurons, they hear what the declaration says of lints, and come after errors.
#[test]
fn warnings_become_deprecations() {
    let dubious = "#[allow(deprecated)] pub surrogate Dubious { param a = 1.0; primitive = sigmoid(u / a); }";
    let code = expand(dubious.parse().unwrap()).to_string();
    assert!(code.starts_with("# [allow (deprecated)] const _"), "{code}");
    assert!(code.contains("# [deprecated (note = \"division by `a`, which can be 0"), "{code}");
    let wrong = "surrogate Bad { param a = 1.0; primitive = sigmoid(u / a) + foo; }";
    let Analysis { report, warnings, .. } = analyse(wrong.parse().unwrap());
    assert_eq!((report.iter().count(), warnings.iter().count()), (1, 0));
}

#[test]
fn any_slip_in_any_token_leaves_something_valid() {
    let source = "pub surrogate Good {
        /// Steepness.
        param alpha = 2.0 where alpha > 0.0;
        let z = 1.0 + alpha * abs(u);
        primitive = if u < 0.0 { 0.5 / z } else { 1.0 - 0.5 / z };
    }";
    let tokens: TokenStream = source.parse().expect("tokens");
    let count = tokens.to_string().split_whitespace().count();
    for slip in SLIPS {
        for index in 0..2 * count {
            let changed = change(tokens.clone(), &mut { index }, slip);
            let Analysis { surrogate, report, .. } = analyse(changed.clone());
            assert!(surrogate.is_some() || !report.is_empty(), "{changed}");
            assert!(report.iter().count() <= 4, "{changed}: {report:#?}");
            let code = expand(changed.clone());
            assert!(syn::parse2::<syn::File>(code).is_ok(), "{changed}");
        }
    }
}

#[test]
fn large_ones_stay_manageable() {
    // Each of these would be written out 2^20 times.
    let mut body = String::from("let z0 = u;");
    for i in 1..=20 {
        let before = i - 1;
        body += &format!(
            "let z{i} = if u < {i}.0 {{ z{before} / (1.0 + abs(z{before})) }} else {{ z{before} + 0.1 * tanh(z{before}) }};"
        );
    }
    let large = surrogate(&format!("{body} primitive = z20;"));
    assert!(large.gradient_text().len() < 100_000, "{}", large.gradient_text().len());
    assert!(Description::new(&large).cuda.len() < 100_000);
}
