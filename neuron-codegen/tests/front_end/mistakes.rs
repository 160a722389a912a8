//! One mistake, one error: at the right place, with the right words, and nothing else.

use neuron_codegen::report::{Diagnostic, Report};

use super::{analysis, messages};

/// Blocks of a declaration, the part of it that is underlined, the message and its hints.
const TABLE: &str = include_str!("mistakes.txt");

fn underlined(source: &str, diagnostic: &Diagnostic) -> String {
    let (start, end) = (diagnostic.position(), diagnostic.extent.end.end());
    assert_eq!((start.line, end.line), (1, 1));
    source.chars().skip(start.column).take(end.column - start.column).collect()
}

/// What is reported of `source`: the part of it that is underlined, then the text.
pub fn diagnosed(source: &str, report: &Report) -> Vec<String> {
    report
        .iter()
        .map(|diagnostic| format!("[{}]\n{}", underlined(source, diagnostic), diagnostic.text()))
        .collect()
}

/// Calls `check` with the source of each block of `table`, and with what is expected for it; how many there are.
pub fn each_block(table: &str, check: impl Fn(&str, [String; 1])) -> usize {
    let blocks = table.split("\n\n").map(|block| {
        let (source, expected) = block.trim_end().split_once('\n').expect("a source and an expectation");
        check(source, [expected.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")]);
    });
    blocks.count()
}

#[test]
fn each_mistake_gives_one_error() {
    let cases = each_block(TABLE, |source, expected| {
        assert_eq!(diagnosed(source, &analysis(source).report), expected, "{source}");
    });
    assert!(cases > 100);
}

#[test]
fn all_mistakes_are_reported_at_once_in_order() {
    let source = "struct Bad {
        param tau = 0.5 where tau > 1.0;
        param idle = 1.0;
        flag decay = 0;
        charge = V + if decay { (x - V) / vth } else { x^1.5 + tau };
        reset hard | sotf;
    }";
    let found: Vec<_> =
        messages(source).iter().map(|text| text.lines().next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        found,
        [
            "the default of `tau`, 0.5, is outside its range `tau > 1.0`",
            "the parameter `idle` is never used",
            "the default of a flag is `true` or `false`, found `0`",
            "unknown name `V`",
            "unknown name `vth`",
            "the exponent of a power is an integer, found `1.5`",
            "unknown reset mode `sotf`",
        ]
    );
}

#[test]
fn nothing_follows_from_a_mistake() {
    // A bad `let` says nothing about its users, an item that cannot be read nothing about its words, an
    // undeclared name is reported once.
    for source in [
        "struct Bad { let a = gain * x; let b = a * a; charge = v + b; update u = a + u; state u = 0.0; reset hard; }",
        "struct Bad { param tau = 2.0; foo bar(tau, x); charge = v + bar; reset hard; }",
        "struct Bad { charge = gain * v + gain * x; threshold = gain; reset hard; }",
        "struct Bad { param tau 2.0 where tau > 1.0; charge = v + x / tau; reset hard; }",
        "struct Bad { param tau = 2.0; charge = (v + x / tau; ) * 2.0; reset hard; }",
        "struct Bad { flag f = 1; flag g = true; charge = if f && g { v + x } else { v }; reset hard; }",
    ] {
        assert_eq!(messages(source).len(), 1, "{source}: {:#?}", messages(source));
    }
}

#[test]
fn errors_become_compile_errors() {
    let tokens = analysis("struct Bad { charge = V + x; reset hart; }").report.to_compile_error();
    let file: syn::File = syn::parse2(tokens).expect("items");
    let texts: Vec<String> = file
        .items
        .iter()
        .map(|item| match item {
            syn::Item::Macro(item) => {
                assert_eq!(item.mac.path.segments.last().expect("a path").ident, "compile_error");
                item.mac.parse_body::<syn::LitStr>().expect("a text").value()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        texts,
        [
            "unknown name `V`\nhelp: did you mean `v`?",
            "unknown reset mode `hart`\nhelp: did you mean `hard`?"
        ]
    );
}
