//! Surrogates: what gradient is derived, and what comes of mistakes.

use neuron_codegen::surrogate::{Analysis, Surrogate, analyse, cuda_function, expand};
use proc_macro2::TokenStream;

use super::recovery::{SLIPS, change};

fn messages(source: &str) -> Vec<String> {
    let Analysis { report, .. } = analyse(source.parse().expect("valid tokens"));
    report.iter().map(|diagnostic| diagnostic.text()).collect()
}

/// The surrogate with that body.
fn surrogate(body: &str) -> Surrogate {
    let source = format!("surrogate Good {{ {body} }}");
    let Analysis { surrogate, report } = analyse(source.parse().expect("valid tokens"));
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
            "if 0 < u { 1 - tanh(u)^2 } else { a }",
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
        cuda_function(&surrogate(&format!("primitive = {primitive};")), "f").contains("u != u")
    };
    assert!(!guarded("tanh(u)") && !guarded("if u < 0.0 { 0.1 * u } else { u + tanh(u) }"));
    assert!(guarded("if u < 0.0 { u + tanh(u) } else { 0.1 * u }") && guarded("2.0 * u"));
}

#[test]
fn mistakes_are_told_once() {
    for (body, expected) in [
        ("primitive = sigmoid(4.0 * (h - v_threshold));", "unknown name `h`"),
        ("param alpha = 1.0; primitive = sigmoid(alhpa * u);", "unknown name `alhpa`"),
        ("primitive = logistic(u);", "unknown function `logistic`"),
        ("primitive = sigmoid(u, 1.0);", "`sigmoid` takes 1 argument, found 2"),
        ("primitive = sigmoid;", "`sigmoid` is a function and needs an argument"),
        ("primitive = pi * u;", "unknown name `pi`"),
        ("param u = 1.0; primitive = sigmoid(u);", "`u` cannot be the name of a parameter"),
        ("param type = 1.0; primitive = sigmoid(type * u);", "`type` cannot be the name of a parameter"),
        ("let z = z + u; primitive = z;", "`z` is defined by itself"),
        ("param a = 1.0 where u > a; primitive = a * u;", "a `where` condition cannot use `u`"),
        ("param a = 1.0; param b = a; primitive = a * b * u;", "the default of a parameter cannot use `a`"),
        ("param a = 1.0 / 0.0; primitive = a * u;", "the default of `a` is not a finite number"),
        ("param a = true; primitive = a * u;", "the default of a parameter is a number, found `true`"),
        ("primitive = if u { 1.0 } else { 0.0 };", "expected a condition, found the number `u`"),
        ("primitive = u + (u > 0.0);", "expected a number, found the condition `u > 0.0`"),
        ("primitive = 1.0 / (1.0 + exp(-u));", "the gradient of `Bad` is NaN at u = -200.0 in float32"),
        ("primitive = sqrt(u);", "the gradient of `Bad` is inf at u = 0.0 in float32"),
        ("primitive = sigmoid(u) primitive = u;", "missing `;`"),
        ("param a = 1.0; primitive = round(u) * 0.0;", "the parameter `a` is never used"),
        ("charge = u;", "unknown item `charge`"),
        ("", "`Bad` is empty: it needs at least `primitive`"),
    ] {
        let found = messages(&format!("surrogate Bad {{ {body} }}"));
        assert!(found.first().is_some_and(|first| first.starts_with(expected)), "{body}: {found:#?}");
        assert!(found.len() <= 2, "{body}: {found:#?}");
    }
    assert!(messages("surrogate bad { primitive = u; }")[0].contains("begins with an uppercase letter"));
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
            let Analysis { surrogate, report } = analyse(changed.clone());
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
    assert!(cuda_function(&large, "f").len() < 100_000);
}
