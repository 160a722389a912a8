//! What a declaration expands to grows with its expression graph and no faster, in length and in time, whatever the
//! number of paths through the graph, and a deep graph is no deep recursion.

use std::time::{Duration, Instant};

use neuron_codegen::check::analyse;
use neuron_codegen::{expand, latex, surrogate};
use proc_macro2::TokenStream;

/// The stack of a thread, unless a program says otherwise.
const STACK: usize = 2 << 20;

/// Bytes of the expansion for each item and each operand of the declaration, kernels of all templates in two languages
/// and their documentation included. The support code of CUDA sources comes on top.
const BYTES: usize = 9_000;
const SUPPORT: usize = 100_000;

/// Far more than any of these takes, unoptimised on a busy machine; far less than what grows faster than it should.
const TIME: Duration = Duration::from_secs(60);

/// Runs `test` on a stack of the usual size; gives it up if it takes too long.
fn within_limits(test: impl FnOnce() + Send + 'static) {
    let start = Instant::now();
    std::thread::Builder::new().stack_size(STACK).spawn(test).expect("a thread").join().expect("no panic");
    assert!(start.elapsed() < TIME, "{:?}", start.elapsed());
}

/// Length of the expansion of `body`; it has to be Rust.
fn length(expand: fn(TokenStream) -> TokenStream, declaration: &str) -> usize {
    let tokens = expand(declaration.parse().expect("tokens"));
    let text = tokens.to_string();
    assert!(!text.contains("compile_error"), "{}", &text[..text.len().min(500)]);
    text.len()
}

fn neuron(tokens: TokenStream) -> TokenStream {
    expand::expand(tokens, None)
}

fn check(body: &str) {
    let declaration = format!("struct Large {{ {body} }}");
    let size = body.split_whitespace().count();
    within_limits(move || {
        let length = length(neuron, &declaration);
        assert!(length < SUPPORT + size * BYTES, "{length} bytes of {size} words");
        let model = analyse(declaration.parse().expect("tokens")).model.expect("valid");
        let derived = neuron_codegen::gradient::Derived::new(model);
        let rows =
            latex::aligned(&latex::equations(&derived)) + &latex::aligned(&latex::derivatives(&derived));
        assert!(rows.len() < size * BYTES, "{} bytes of LaTeX, {size} words", rows.len());
    });
}

fn chain(count: usize, next: impl Fn(usize, usize) -> String) -> String {
    (1..=count).map(|i| next(i, i - 1)).collect()
}

#[test]
fn squares_of_squares() {
    for (first, then) in
        [("v + x", "charge = a2000;"), ("h + spike", "charge = v + x + q; state q = 0.0; update q = a2000;")]
    {
        let squares = chain(2000, |i, before| format!("let a{i} = a{before} * a{before} ;"));
        check(&format!("let a0 = {first}; {squares} {then} reset hard | soft;"));
    }
}

/// Nothing here is used twice, so nothing has to be named for that.
#[test]
fn long_sums_and_products() {
    for operator in ["+", "*"] {
        let sums = chain(1000, |i, before| format!("let a{i} = a{before} {operator} x ;"));
        check(&format!("let a0 = v + x; {sums} charge = a1000; reset soft;"));
    }
}

/// Signs and factors that the rules for derivatives take off.
#[test]
fn long_chains_of_signs_and_factors() {
    for next in ["- a", "1.0 * a", "2.0 * a"] {
        let chain = chain(1000, |i, before| format!("let a{i} = {next}{before} ;"));
        check(&format!("let a0 = v * x ; {chain} charge = 2.0 * v * a1000 + a1000 - v ; reset soft;"));
    }
}

#[test]
fn conditions_of_conditions() {
    for first in ["v > 0.5", "spike && h > x", "on"] {
        let conditions =
            chain(300, |i, before| format!("let c{i} = c{before} && c{before} || ! c{before} ;"));
        let flag = if first == "on" { "flag on = true;" } else { "" };
        check(&format!(
            "{flag} let c0 = {first}; {conditions} state q = 0.5; charge = v + x - q;
             update q = if c300 {{ q * h }} else {{ x }}; reset hard;"
        ));
    }
}

#[test]
fn guarded_conditions() {
    let guards: Vec<String> =
        (0..16).map(|i| format!("( if v > {i}.5 {{ v }} else {{ x }} ) > {i}.25")).collect();
    check(&format!("charge = if {} {{ v / x }} else {{ x }} ; reset hard;", guards.join(" && ")));
}

#[test]
fn functions_of_functions() {
    for function in ["abs", "tanh", "exp", "sqrt"] {
        check(&format!(
            "charge = v + {}x{} ; reset hard;",
            format!("{function} ( ").repeat(60),
            " )".repeat(60)
        ));
    }
}

#[test]
fn many_parameters() {
    let params: String = (0..500).map(|i| format!("param a{i} = 1.0 where a{i} > 0.0 ;")).collect();
    let lets = chain(500, |i, before| format!("let s{i} = s{before} + x / a{before} ;"));
    check(&format!("{params} let s0 = v ; {lets} charge = s500 ; reset hard;"));
}

#[test]
fn powers_of_powers() {
    check(
        "param a = 1.0 where ( ( a ^ 1024 ) ^ 1024 ) ^ 1024 < 2.0; learnable w = 1.0; \
           state q = ( ( w ^ 512 ) ^ 512 ) ^ 512; charge = v * a + ( ( x ^ 100 ) ^ 100 ) ^ 100 + q; update q = w * q; reset hard;",
    );
}

/// In a ring, and each of them of all others' sum.
#[test]
fn many_states() {
    let count = 64;
    let states: String = (0..count)
        .map(|i| {
            let next = (i + 1) % count;
            format!("state q{i} = 0.5 ; update q{i} = q{i} * q{next} + if spike {{ x }} else {{ h / ( 1.0 + q{i} ^ 2 ) }} ;")
        })
        .collect();
    let sum: Vec<String> = (0..count).map(|i| format!("q{i}")).collect();
    check(&format!("{states} charge = v + x + {} ; reset hard;", sum.join(" + ")));
}

#[test]
fn surrogates() {
    let chain =
        chain(200, |i, before| format!("let z{i} = 0.5 * z{before} * z{before} + 0.25 * tanh(z{before}) ;"));
    let declaration = format!("surrogate Long {{ let z0 = sigmoid(u); {chain} primitive = z200 ; }}");
    within_limits(move || {
        let length = length(surrogate::expand, &declaration);
        assert!(length < 2_000 * 1000, "{length}");
    });
}
