//! What is allowed but probably not meant: warned of at the right place, once, and nowhere else.

use super::analysis;
use super::mistakes::{diagnosed, each_block};

/// As `mistakes.txt`.
const TABLE: &str = include_str!("warnings.txt");

#[test]
fn each_is_warned_of_once() {
    let cases = each_block(TABLE, |source, expected| {
        let analysis = analysis(source);
        assert!(analysis.report.is_empty(), "{source}: {:#?}", analysis.report);
        assert_eq!(diagnosed(source, &analysis.warnings), expected, "{source}");
    });
    assert!(cases > 15);
}

/// The body of a neuron without a mistake that nothing is to be said about.
fn silent(body: &str) {
    let source = format!("struct Good {{ {body} reset hard; }}");
    let analysis = analysis(&source);
    assert!(analysis.report.is_empty(), "{source}: {:#?}", analysis.report);
    assert!(analysis.warnings.is_empty(), "{source}: {:#?}", analysis.warnings);
}

#[test]
fn ranges_are_believed() {
    for body in [
        "param tau = 2.0 where tau > 0.0; charge = v + x / tau;",
        "param tau = 2.0 where tau >= 1.0; charge = v + x / tau + ln(tau) * sqrt(tau);",
        "param e = -70.0 where e < 0.0; charge = v + x / e + ln(-e);",
        "learnable tau = 2.0 where tau != 0.0; charge = v + x / tau + x * tau^-2;",
        "param a = 1.0; param b = 2.0 where b > a; charge = v + x / (b - a) + ln(b - a) + x / (a - b);",
        "param a = 1.0 where a > 0.0; param b = 2.0 where b >= a; charge = v + x / b + ln(b);",
        "param a = 1.0 where a > 0.0 && a < 1.0 || a == 1.0; charge = v + a * x;",
        "param a = 1.0 where !(a <= 0.0), a < 10.0; charge = v + x / a + sqrt(10.0 - a);",
        "param tau = 2.0 where tau > 0.0; param dt = 0.1 where dt > 0.0; \
         let decay = exp(-dt / tau); charge = v * decay + x / (1.0 - decay) + ln(decay) + sqrt(tau / dt);",
        "param a = 1.0 where sin(a) > 0.0; charge = v + x / sin(a) + ln(sin(a));",
        "param a = 1.0; param b = 2.0 where a != b; charge = v + x / (a - b);",
        "param a = 0.5 where a > -1.0; charge = v + x * log1p(a);",
    ] {
        silent(body);
    }
}

#[test]
fn functions_have_ranges() {
    for expr in [
        "ln(exp(x))",
        "log1p(exp(x)) + log1p(abs(v))",
        "log1p(tanh(v)) + ln(expm1(v) + 1.0)",
        "x / exprel(-(v + 40.0) / 10.0)",
        "x / (floor(abs(v)) + 0.5) + sqrt(trunc(v^2) + 1.0)",
        "ln(1.0 + exp(v))",
        "sqrt(v * v + x^2 + 1.0)",
        "sqrt(1.0 + abs(v))",
        "ln(1e-3 + abs(v))",
        "x / (1.0 + sigmoid(v))",
        "sqrt(1.0 - tanh(v)^2)",
        "ln(2.0 + cos(x))",
        "sqrt(1.5 + erf(v))",
        "ln(max(v, 1e-3))",
        "1.0 / clamp(v, 0.1, 2.0)",
        "(1.0 + v^2)^-3",
        "x / (round(abs(v)) + 0.5)",
        "sqrt(4.0) + ln(2.0) + x / 2.0",
        "ln(atan(x) + 1.6)",
        "ln(if v > 0.0 { v } else { 1.0 })",
        "sqrt(if x > v { x - v } else { 1.0 })",
    ] {
        silent(&format!("charge = v + x + {expr};"));
    }
}

#[test]
fn choices_are_believed() {
    for expr in [
        "if v > 0.0 { ln(v) } else { 0.0 }",
        "if v > -1.0 { log1p(v) } else { 0.0 }",
        "if v > 0.0 { x / expm1(v) } else { 0.0 }",
        "if v <= 0.0 { 0.0 } else { ln(v) }",
        "if v != 0.0 { x / v } else { 0.0 }",
        "if v == 0.0 { 0.0 } else { x / v }",
        "if v == x { 0.0 } else { 1.0 / (v - x) }",
        "if v > 0.0 && x > v { ln(x) + sqrt(x - v) } else { 0.0 }",
        "if v < 0.0 || x <= 0.0 { 0.0 } else { sqrt(v + 1.0) + ln(x) }",
        "if v > 0.0 && ln(v) > 1.0 { x } else { 0.0 }",
        "if v <= 0.0 || ln(v) > 1.0 { x } else { 0.0 }",
        "if x > 1.0 { if v > x { sqrt(v) / v } else { 0.0 } } else { 0.0 }",
        "if !(v < 1.0) { 1.0 / v } else if v > 0.5 { 2.0 / v } else { 0.0 }",
    ] {
        silent(&format!("charge = v + x + {expr};"));
    }
}

#[test]
fn the_neurons_of_the_zoo_are_silent() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurons/src");
    let mut neurons = 0;
    for entry in std::fs::read_dir(sources).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for declaration in neuron_codegen::declarations::declarations(&source).unwrap() {
            let analysis = neuron_codegen::check::analyse(declaration);
            assert!(analysis.warnings.is_empty(), "{:#?}", analysis.warnings);
            neurons += 1;
        }
    }
    assert!(neurons > 10);
}

/// Choices upon choices over the same values take no time to speak of.
#[test]
fn nested_choices_are_looked_at_in_bounded_time() {
    let lets: String = (1..40)
        .map(|i| format!("let a{i} = if a{0} > 0.5 {{ a{0} + 1.0 }} else {{ 1.0 - a{0} }};", i - 1))
        .collect();
    silent(&format!("let a0 = v + x; {lets} charge = v + x / (1.0 + abs(a39));"));
}

#[test]
fn mistakes_come_first() {
    let analysis = analysis("struct Bad { param tau = 2.0; charge = v + x / tau + foo; reset hard; }");
    assert_eq!(analysis.report.iter().count(), 1);
    assert!(analysis.warnings.is_empty());
}

/// They are items of their own, which leave the expansion valid, and hear what the struct says of lints.
#[test]
fn warnings_become_deprecations() {
    let source =
        "#[allow(deprecated)] #[doc(hidden)] struct Dubious { charge = v + ln(x) + sqrt(v); reset hard; }";
    let tokens = neuron_codegen::expand::expand(source.parse().unwrap(), None);
    let file: syn::File = syn::parse2(tokens).expect("items");
    let consts: Vec<&syn::ItemConst> = (file.items.iter())
        .filter_map(|item| match item {
            // Implementations are in a block of their own, too.
            syn::Item::Const(item) if item.ident == "_" && !item.attrs.is_empty() => Some(item),
            _ => None,
        })
        .collect();
    assert_eq!(consts.len(), 2);
    for (item, text) in consts.into_iter().zip(["`ln(x)` is NaN", "`sqrt(v)` is NaN"]) {
        let text = format!("# [deprecated (note = \"{text}");
        let printed = quote::quote!(#item).to_string();
        assert!(printed.starts_with("# [allow (deprecated)] const _"), "{printed}");
        assert!(printed.contains(&text), "{printed}");
    }
    assert!(!quote::quote!(#file).to_string().contains("compile_error"));
}
