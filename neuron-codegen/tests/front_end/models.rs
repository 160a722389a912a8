//! What right declarations mean: their parts, and the values of their expressions.

use neuron_codegen::ir::{Cmp, Func, Graph, Id, Node, Rate, Sort};
use neuron_codegen::model::{Model, Reset};

use super::model;

/// The value of `id` with the given values of leaves; conditions are 0 or 1.
fn value(graph: &Graph, id: Id, leaves: &[(&str, f64)]) -> f64 {
    let of = |id| value(graph, id, leaves);
    let bit = |holds: bool| f64::from(u8::from(holds));
    match graph.node(id) {
        Node::Num(bits) => f64::from_bits(bits),
        Node::Leaf(_) => {
            let name = &graph.as_leaf(id).expect("a leaf").name;
            leaves.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no value of {name}")).1
        }
        Node::Neg(a) => -of(a),
        Node::Add(a, b) => of(a) + of(b),
        Node::Sub(a, b) => of(a) - of(b),
        Node::Mul(a, b) => of(a) * of(b),
        Node::Div(a, b) => of(a) / of(b),
        Node::Powi(a, n) => of(a).powi(n),
        Node::Min(a, b) => of(a).min(of(b)),
        Node::Max(a, b) => of(a).max(of(b)),
        Node::Call(Func::Exp, a) => of(a).exp(),
        Node::Call(Func::Sqrt, a) => of(a).sqrt(),
        Node::Call(func, _) => panic!("{func:?} is not used here"),
        Node::Compare(Cmp::Lt, a, b) => bit(of(a) < of(b)),
        Node::Compare(Cmp::Le, a, b) => bit(of(a) <= of(b)),
        Node::Compare(Cmp::Eq, a, b) => bit(of(a) == of(b)),
        Node::Compare(Cmp::Ne, a, b) => bit(of(a) != of(b)),
        Node::Not(a) => 1.0 - of(a),
        Node::And(a, b) => of(a) * of(b),
        Node::Or(a, b) => of(a).max(of(b)),
        Node::StraightThrough(a, _) | Node::Detach(a) => of(a),
        Node::Primitive(_) => f64::NAN,
        Node::Select(c, a, b) => of(if of(c) == 1.0 { a } else { b }),
    }
}

fn charge(model: &Model, leaves: &[(&str, f64)]) -> f64 {
    value(&model.graph, model.charge, leaves)
}

fn names<'a>(idents: impl IntoIterator<Item = &'a proc_macro2::Ident>) -> Vec<String> {
    idents.into_iter().map(ToString::to_string).collect()
}

#[test]
fn integrate_and_fire() {
    let model =
        model("/// The simplest.\n#[derive(Eq)] pub struct If { charge = v + x; reset soft | hard; }");
    assert_eq!(model.name, "If");
    assert!(matches!(model.vis, syn::Visibility::Public(_)));
    assert_eq!(model.doc, ["The simplest."]);
    assert_eq!(model.attrs.len(), 1);
    assert_eq!(names(model.inputs.iter().map(|input| &input.name)), ["x"]);
    assert_eq!(names(model.states.iter().map(|state| &state.name)), ["v"]);
    assert_eq!(names(model.params.iter().map(|param| &param.name)), ["v_threshold", "v_reset"]);
    assert_eq!(model.params.iter().map(|param| param.default).collect::<Vec<_>>(), [1.0, 0.0]);
    assert!(model.params.iter().all(|param| param.built_in && param.conditions.is_empty()));
    assert_eq!(model.resets, [Reset::Soft, Reset::Hard]);
    assert_eq!(model.threshold().unwrap(), model.leaves.v_threshold);
    assert_eq!((model.states[0].init, model.states[0].update), (model.leaves.v_reset, None));
    assert_eq!(
        model.graph.node(model.charge),
        Node::Add(model.states[0].leaf, model.inputs[0].leaf),
        "evaluated as written"
    );
}

#[test]
fn leaky_integrate_and_fire() {
    let model = model(
        "pub struct Lif {
            /// Membrane time constant
            /// in time steps.
            param tau = 2.0 where tau > 1.0, tau <= 1e6 && tau != v_reset;
            flag decay_input = true;
            charge = v + if decay_input { (x - (v - v_reset)) / tau } else { x - (v - v_reset) / tau };
            reset hard | soft;
        }",
    );
    let tau = &model.params[0];
    assert_eq!(tau.doc, ["Membrane time constant", "in time steps."]);
    assert_eq!(tau.default, 2.0);
    let texts: Vec<_> = tau.conditions.iter().map(|condition| condition.text.as_str()).collect();
    assert_eq!(texts, ["tau > 1.0", "tau <= 1e6 && tau != v_reset"]);
    assert!(tau.conditions.iter().all(|condition| model.graph.sort(condition.expr) == Sort::Bool));
    assert_eq!(model.graph.rate(tau.leaf), Rate::Uniform);
    assert_eq!((model.flags.len(), model.flags[0].default), (1, true));
    assert_eq!(model.graph.sort(model.flags[0].leaf), Sort::Bool);
    assert_eq!(model.graph.rate(model.charge), Rate::Step);

    let (v, x, tau, r) = (0.3, 0.7, 3.0, 0.1);
    let leaves = |decay| [("v", v), ("x", x), ("tau", tau), ("v_reset", r), ("decay_input", decay)];
    assert_eq!(charge(&model, &leaves(1.0)), v + (x - (v - r)) / tau);
    assert_eq!(charge(&model, &leaves(0.0)), v + (x - (v - r) / tau));
}

#[test]
fn quadratic_and_exponential_integrate_and_fire() {
    let qif = model(
        "struct Qif {
            param tau = 2.0 where tau > 0.0; param a0 = 1.0; param v_c = 0.8; param v_rest = 0.0;
            charge = v + (x + a0 * (v - v_rest) * (v - v_c)) / tau;
            reset hard;
        }",
    );
    let (v, x) = (0.4, 0.9);
    let leaves = [("v", v), ("x", x), ("tau", 2.0), ("a0", 1.5), ("v_c", 0.8), ("v_rest", -0.1)];
    assert_eq!(charge(&qif, &leaves), v + (x + 1.5 * (v - -0.1) * (v - 0.8)) / 2.0);

    let eif = model(
        "struct Eif {
            charge = v + (x + v_rest - v + delta_t * exp((v - theta_rh) / delta_t)) / tau;
            param delta_t = 1.0 where delta_t > 0.0; param theta_rh = 0.8; param v_rest = v_reset;
            param tau = 2.0 * delta_t where tau > delta_t;
            reset hard;
        }",
    );
    let defaults: Vec<_> = eif.params.iter().map(|param| param.default).collect();
    assert_eq!(defaults, [1.0, 0.8, 0.0, 2.0, 1.0, 0.0]);
    let leaves = [("v", v), ("x", x), ("tau", 2.0), ("delta_t", 0.5), ("theta_rh", 0.8), ("v_rest", 0.1)];
    let expected: f64 = v + (x + 0.1 - v + 0.5 * f64::exp((v - 0.8) / 0.5)) / 2.0;
    assert_eq!(charge(&eif, &leaves), expected);
}

#[test]
fn izhikevich() {
    let model = model(
        "pub struct Izhikevich {
            param a = 0.02;  param b = 0.2;  param d = 8.0;  param dt = 0.1 where dt > 0.0;
            param v_threshold = 30.0; param v_reset = -65.0;
            state u = b * v_reset;
            charge = v + dt * (0.04 * v * v + 5.0 * v + 140.0 - u + x);
            update u = u + dt * a * (b * v - u) + d * spike;
            reset hard;
        }",
    );
    let order = ["a", "b", "d", "dt", "v_threshold", "v_reset"];
    assert_eq!(names(model.params.iter().map(|param| &param.name)), order);
    assert_eq!(model.params[5].default, -65.0);
    let u = &model.states[1];
    assert_eq!(value(&model.graph, u.init, &[("b", 0.2), ("v_reset", -65.0)]), 0.2 * -65.0);
    let update = u.update.expect("an update");
    assert!(model.graph.contains(update, model.leaves.spike));
    assert!(!model.graph.contains(update, model.leaves.h));
    let leaves =
        [("u", -13.0), ("v", -60.0), ("a", 0.02), ("b", 0.2), ("d", 8.0), ("dt", 0.1), ("spike", 1.0)];
    let expected = -13.0 + 0.1 * 0.02 * (0.2 * -60.0 - -13.0) + 8.0 * 1.0;
    assert_eq!(value(&model.graph, update, &leaves), expected);
}

#[test]
fn adaptive_threshold() {
    let model = model(
        "struct Adaptive {
            param tau = 2.0 where tau > 1.0;
            param tau_a = 20.0 where tau_a > 1.0;
            param beta = 0.2;
            let decay = 1.0 - 1.0 / tau_a;
            let excess = h - threshold_now;
            let threshold_now = v_threshold + beta * a;
            let near = excess > -0.1;
            state a = 0.0;
            charge = v + (x - v) / tau;
            threshold = threshold_now;
            update a = if spike || near { decay * a + 1.0 } else { decay * a };
            reset soft;
        }",
    );
    assert_ne!(model.threshold().unwrap(), model.leaves.v_threshold);
    assert_eq!(
        value(&model.graph, model.threshold().unwrap(), &[("v_threshold", 1.0), ("beta", 0.2), ("a", 3.0)]),
        1.0 + 0.2 * 3.0
    );
    let update = model.states[1].update.expect("an update");
    assert!(model.graph.contains(update, model.leaves.fired), "a spike as a condition");
    assert!(!model.graph.contains(update, model.leaves.spike));
    let mut names: Vec<_> = model.names.values().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["decay", "excess", "near", "threshold_now"]);
    assert_eq!(model.names[&model.threshold().unwrap()], "threshold_now");
}

#[test]
fn several_inputs() {
    let model = model(
        "struct Two { /** Excitation */ input g_e, g_i; input bias; charge = v + g_e - g_i + bias; reset hard; }",
    );
    assert_eq!(names(model.inputs.iter().map(|input| &input.name)), ["g_e", "g_i", "bias"]);
    assert_eq!(model.inputs[0].doc, ["Excitation "]);
}

#[test]
fn operators_bind_as_in_rust() {
    let (v, x) = (0.37_f64, -1.7_f64);
    for (source, expected) in [
        ("v - x - 1.0", v - x - 1.0),
        ("v - (x - 1.0)", v - (x - 1.0)),
        ("v / x / 3.0 * 2.0", v / x / 3.0 * 2.0),
        ("1 + 2 * v - x / 4", 1.0 + 2.0 * v - x / 4.0),
        ("-v^2 + x", -(v * v) + x),
        ("(-v)^2 + x", v * v + x),
        ("2.0 * x^-1 + v", 2.0 * x.powi(-1) + v),
        ("- -v * x", v * x),
        ("v*-x", v * -x),
        ("clamp(x, -1.0, 1.0) + min(v, 0.1) * max(v, 0.2)", -1.0 + 0.1 * v),
        ("1_000.5e-3 * v + x", 1_000.5e-3 * v + x),
        ("if v < 0.0 { x } else if !(x > v) && v >= 0.3 { 2.0 * x } else { v }", 2.0 * x),
        ("if v > 1.0 || x != v && 1.0 <= 0.0 { 1.0 } else { x }", x),
        ("if v < 1.0 { x } else { v } * 2.0", x * 2.0),
        ("sqrt(abs_x) + v + let_free", v + 3.0),
    ] {
        let extra =
            if source.contains("abs_x") { "let abs_x = (x + 1.7)^2; let let_free = 3.0;" } else { "" };
        let model =
            model(&format!("struct Case {{ {extra} charge = v * 0.0 + x * 0.0 + ({source}); reset hard; }}"));
        assert_eq!(charge(&model, &[("v", v), ("x", x)]), expected, "{source}");
    }
}

#[test]
fn exponents_have_limits() {
    for exponent in ["0", "1", "-1", "(2)", "(-3)", "-(-3)", "1_000", "1024", "-1024"] {
        let model = model(&format!("struct Case {{ charge = (1.0 + v^2)^{exponent} + x; reset hard; }}"));
        let expected: i32 = match exponent {
            "-(-3)" => 3,
            text => text.replace(['(', ')', '_'], "").parse().expect("an integer"),
        };
        let found = model.graph.reach([model.charge]).into_iter().find_map(|id| match model.graph.node(id) {
            Node::Powi(_, n) if n != 2 || expected == 2 => Some(n),
            _ => None,
        });
        assert_eq!(found, Some(expected), "{exponent}");
    }
    for exponent in ["1025", "-1025", "2147483647", "-2147483648", "2147483648", &"9".repeat(60)] {
        let source = format!("struct Case {{ charge = v^{exponent} + x; reset hard; }}");
        let texts: Vec<_> = super::messages(&source);
        assert!(texts.len() == 1 && texts[0].contains("from -1024 to 1024"), "{texts:#?}");
    }
}
