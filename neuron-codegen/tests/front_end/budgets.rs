//! What a declaration costs to check grows with its size and no faster, and a long one is no deep recursion.

use std::time::{Duration, Instant};

use neuron_codegen::check::analyse;
use neuron_codegen::report::Report;
use neuron_codegen::surrogate;

/// The stack of a thread, unless a program says otherwise.
const STACK: usize = 2 << 20;

/// Far more than any of these takes, unoptimised on a busy machine; far less than what grows faster than it should.
const TIME: Duration = Duration::from_secs(20);

/// What `check` says of `source`, which it has to say in time and on a stack of the usual size.
fn said(source: String, check: fn(&str) -> Vec<String>) -> Vec<String> {
    let run = move || {
        let start = Instant::now();
        let said = check(&source);
        assert!(start.elapsed() < TIME, "{:?}", start.elapsed());
        said
    };
    std::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread").join().expect("no panic")
}

fn texts(report: &Report) -> Vec<String> {
    report.iter().map(|diagnostic| diagnostic.text()).collect()
}

/// Errors and warnings for the neuron with that body.
fn of_neuron(body: String) -> Vec<String> {
    said(format!("struct Large {{ {body} reset hard; }}"), |source| {
        let analysis = analyse(source.parse().expect("tokens"));
        [texts(&analysis.report), texts(&analysis.warnings)].concat()
    })
}

/// `first`, then `count` times `next` of its number and the one before, in order or the other way round.
fn chain(first: &str, count: usize, is_reversed: bool, next: impl Fn(usize, usize) -> String) -> String {
    let mut items = vec![first.to_owned()];
    items.extend((1..=count).map(|i| next(i, i - 1)));
    if is_reversed {
        items.reverse();
    }
    items.concat()
}

#[test]
fn long_chains_of_lets() {
    for is_reversed in [false, true] {
        let squares = chain("let a0 = v + x;", 2000, is_reversed, |i, before| {
            format!("let a{i} = a{before} * a{before};")
        });
        assert!(of_neuron(format!("{squares} charge = a2000;")).is_empty());
        // Each of them may have no value.
        let quotients = chain("let a0 = v + x;", 2000, is_reversed, |i, before| {
            format!("let a{i} = sqrt(1.0 + a{before}^2) / (1.0 + a{before}^2);")
        });
        assert!(of_neuron(format!("{quotients} charge = a2000;")).is_empty());
        let late = chain("let a0 = h + spike;", 500, is_reversed, |i, before| {
            format!("let a{i} = a{before} * a{before};")
        });
        let uses = vec!["a500 + a499"; 200].join(" - ");
        let errors =
            of_neuron(format!("{late} state q = 0.0; update q = {uses}; charge = v + x + q + a500;"));
        assert_eq!(errors.len(), 1, "{errors:#?}");
        let conditions = chain("param a0 = 1.0;", 1000, is_reversed, |i, before| {
            format!("param a{i} = a{before} where a{i} >= a{before};")
        });
        assert!(of_neuron(format!("{conditions} charge = v + x * a1000;")).len() <= 1);
    }
}

#[test]
fn long_cycles() {
    let lets = chain("let a0 = a2000;", 2000, false, |i, before| format!("let a{i} = a{before} + x;"));
    let errors = of_neuron(format!("{lets} charge = v + x + a2000;"));
    assert_eq!(errors.len(), 1);
    assert!(errors[0].len() < 300, "{}", errors[0]);
    let params = chain("param a0 = a2000;", 2000, true, |i, before| format!("param a{i} = a{before};"));
    assert_eq!(of_neuron(format!("{params} charge = v + x + a2000;")).len(), 1);
}

#[test]
fn guarded_conditions() {
    for count in [4, 8, 16, 40] {
        let guards: Vec<String> = (0..count)
            .map(|i| {
                format!("(if v > {i}.5 {{ if x > {i}.0 {{ v }} else {{ x }} }} else {{ v * x }}) > {i}.25")
            })
            .collect();
        let guards = guards.join(" && ");
        let body = format!("charge = if {guards} {{ v / x }} else {{ x }};");
        // Small ones are thought through, large ones given up.
        let found = of_neuron(body);
        assert_eq!(found.len(), usize::from(count <= 8), "{count}: {found:#?}");
    }
}

#[test]
fn shared_conditions() {
    let conditions = chain("let c0 = v > 0.0;", 500, false, |i, before| {
        format!("let c{i} = c{before} && c{before} || v > {i}.0;")
    });
    let body = format!("{conditions} charge = if c500 {{ x / (1.0 + v^2) }} else {{ x / v }};");
    assert!(of_neuron(body).len() <= 1);
}

#[test]
fn many_ranges_and_many_divisions() {
    let params: String =
        (0..1000).map(|i| format!("param a{i} = 1.0 where a{i} > 0.0, a{i} < 2.0;")).collect();
    let lets: String = (0..1000)
        .map(|i| format!("let b{i} = x / a{i} + if v > 0.0 {{ x / (a{i} * v) }} else {{ x / (a{i} - v) }};"))
        .collect();
    let sum =
        (0..1000).fold(String::from("let s0 = v;"), |sum, i| sum + &format!("let s{} = s{i} + b{i};", i + 1));
    // Of all these divisions, none is by what can be 0, and all of that is found out.
    assert_eq!(of_neuron(format!("{params} {lets} {sum} charge = s1000;")), [""; 0]);
}

#[test]
fn many_states() {
    let states: String = (0..64)
        .map(|i| {
            format!("state q{i} = 0.5; update q{i} = q{i} * q{} + if spike {{ x }} else {{ h / (1.0 + q{i}^2) }};", (i + 1) % 64)
        })
        .collect();
    let sum: Vec<String> = (0..64).map(|i| format!("q{i}")).collect();
    assert!(of_neuron(format!("{states} charge = v + x + {};", sum.join(" + "))).is_empty());
}

#[test]
fn expressions_of_any_allowed_size() {
    for operator in ["+", "/ x -", "* v / "] {
        let operands = vec!["(1.0 + abs(x))"; 240].join(operator);
        assert!(of_neuron(format!("charge = v + {operands};")).len() <= 1);
    }
    for (open, close) in [
        ("(", ")"),
        ("abs(", ")"),
        ("-", ""),
        ("2.0 / (1.5 + abs(", "))"),
        ("if v > 0.0 { ", " } else { 0.5 }"),
        ("if v > 0.0 { 0.5 } else { ", " }"),
    ] {
        for depth in [20, 60, 64, 1000] {
            let nested = format!("charge = v + {}x{};", open.repeat(depth), close.repeat(depth));
            let found = of_neuron(nested);
            assert!(found.len() <= 1, "{open} {depth}: {found:#?}");
        }
    }
    let conditions = vec!["x > v"; 240].join(" && ");
    assert!(of_neuron(format!("charge = v + if {conditions} {{ x }} else {{ 1.0 }};")).is_empty());
}

/// Errors and warnings for the surrogate with that body.
fn of_surrogate(body: String) -> Vec<String> {
    said(format!("surrogate Long {{ {body} }}"), |source| {
        let analysis = surrogate::analyse(source.parse().expect("tokens"));
        [texts(&analysis.report), texts(&analysis.warnings)].concat()
    })
}

#[test]
fn long_surrogates() {
    for is_reversed in [false, true] {
        let lets = chain("let a0 = sigmoid(u);", 200, is_reversed, |i, before| {
            format!("let a{i} = 0.5 * a{before} + 0.25;")
        });
        assert_eq!(of_surrogate(format!("{lets} primitive = a200;")), [""; 0]);
    }
}

#[test]
fn choices_upon_choices_in_surrogates() {
    // Each changes the sign of the slope in one of its alternatives.
    let lets = chain("let a0 = sigmoid(u);", 250, false, |i, before| {
        format!("let a{i} = if a{before} > 0.5 {{ a{before} + 1.0 }} else {{ 1.0 - a{before} }};")
    });
    assert_eq!(of_surrogate(format!("{lets} primitive = a250;")), [""; 0]);
}

#[test]
fn surrogates_that_are_too_long() {
    for is_reversed in [false, true] {
        let lets = chain("let a0 = sigmoid(u);", 5000, is_reversed, |i, before| {
            format!("let a{i} = 0.5 * a{before} / (1.0 + a{before}^2);")
        });
        let errors = of_surrogate(format!("{lets} primitive = a5000;"));
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].starts_with("a surrogate has at most 256 named expressions"), "{errors:?}");
    }
    let lets = chain("let a0 = sigmoid(u);", 200, false, |i, before| {
        let terms = (0..100).fold(format!("a{before}"), |sum, k| format!("{sum} + 0.00{k} * tanh(u)"));
        format!("let a{i} = {terms};")
    });
    let errors = of_surrogate(format!("{lets} primitive = a200;"));
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert!(
        errors[0].starts_with("a primitive has at most 1000 operations inside one another"),
        "{errors:?}"
    );
    let cycle = chain("let a0 = a200;", 200, false, |i, before| format!("let a{i} = a{before} + u;"));
    assert_eq!(of_surrogate(format!("{cycle} primitive = a200;")).len(), 1);
}
