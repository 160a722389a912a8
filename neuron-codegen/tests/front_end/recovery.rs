//! Whatever is written, something valid comes out: the macro can always emit the struct and its methods.

use neuron_codegen::ir::{Graph, Id, Node, Sort};
use neuron_codegen::model::{Model, Reset};
use proc_macro2::{Group, TokenStream, TokenTree};

use super::analysis;

const DECLARATIONS: [&str; 4] = [
    "pub struct Lif {
        /// Membrane time constant in time steps.
        param tau = 2.0 where tau > 1.0;
        flag decay_input = true;
        let leak = (v - v_reset) / tau;
        charge = v + if decay_input { x / tau - leak } else { x - leak };
        reset hard | soft;
    }",
    "pub struct Izhikevich {
        input i;
        param a = 0.02; param dt = 0.1 where dt > 0.0, dt < 1.0;
        state u = 0.2 * v_reset;
        charge = v + dt * (0.04 * v^2 + 5.0 * v + 140.0 - u + i);
        threshold = max(v_threshold, u);
        update u = u + dt * a * (0.2 * v - u) + 8.0 * spike;
        reset hard;
    }",
    "struct Gated {
        learnable w = -ln(3.0) where w < 5.0;
        array gain = 1.0;
        state last = 0.0;
        charge = sigmoid(w) * v + gain * x - last;
        update last = spike;
        update v = if spike { v_reset } else { h - last };
    }",
    "struct Integer {
        param tau = 2.0 where tau > 1.0;
        param v_threshold = 1.0 where v_threshold > 0.0;
        charge = v - v / tau + x;
        let count = round(clamp(h / v_threshold, 0.0, 4.0));
        output = count;
        update v = h - count * v_threshold;
    }",
];

/// Panics unless every expression of `model` is of its kind.
fn assert_valid(model: &Model) {
    let g = &model.graph;
    let sorts = [(model.charge, Sort::Real)]
        .into_iter()
        .chain(model.outputs().map(|output| (output, Sort::Real)))
        .chain(model.params.iter().map(|param| (param.leaf, Sort::Real)))
        .chain(model.params.iter().flat_map(|param| &param.conditions).map(|it| (it.expr, Sort::Bool)))
        .chain(model.flags.iter().map(|flag| (flag.leaf, Sort::Bool)))
        .chain(model.states.iter().flat_map(|state| [state.leaf, state.init]).map(|id| (id, Sort::Real)))
        .chain(model.states.iter().filter_map(|state| state.update).map(|id| (id, Sort::Real)));
    for (id, sort) in sorts {
        assert_eq!(g.sort(id), sort);
        assert_typed(g, id);
    }
    for late in [model.leaves.h, model.leaves.spike, model.leaves.fired] {
        assert!(!g.contains(model.charge, late));
        assert!(model.threshold().is_none_or(|threshold| !g.contains(threshold, late)));
    }
    for spike in [model.leaves.spike, model.leaves.fired] {
        assert!(model.spike.is_none_or(|computed| !g.contains(computed.value, spike)));
        assert!(model.spike.is_some() || model.outputs().all(|output| !g.contains(output, spike)));
    }
    assert_eq!(model.states[0].name, "v");
    assert!(model.states[1..].iter().all(|state| state.update.is_some()));
    assert!(!model.inputs.is_empty() && !model.resets.is_empty());
    assert!(model.params.iter().all(|param| param.default.is_finite()));
    assert_eq!(model.params.iter().filter(|param| param.built_in).count(), 2);
}

fn assert_typed(g: &Graph, id: Id) {
    for (i, operand) in g.node(id).operands().enumerate() {
        let expected = match g.node(id) {
            Node::Not(_) | Node::And(..) | Node::Or(..) => Sort::Bool,
            Node::Select(..) if i == 0 => Sort::Bool,
            _ => Sort::Real,
        };
        assert_eq!(g.sort(operand), expected);
        assert_typed(g, operand);
    }
}

/// How a token is changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slip {
    Left,
    Doubled,
    Became(&'static str),
}

pub const SLIPS: [Slip; 13] = [
    Slip::Left,
    Slip::Doubled,
    Slip::Became("foo"),
    Slip::Became("v"),
    Slip::Became("1.5"),
    Slip::Became("="),
    Slip::Became(";"),
    Slip::Became("(v < x)"),
    Slip::Became("spike"),
    Slip::Became("param"),
    Slip::Became("if"),
    Slip::Became("where"),
    Slip::Became("^"),
];

/// `tokens` with the token number `index`, counted through all groups, changed.
pub fn change(tokens: TokenStream, index: &mut usize, slip: Slip) -> TokenStream {
    let mut changed = Vec::new();
    for token in tokens {
        let hit = *index == 0;
        *index = index.wrapping_sub(1);
        let token = match token {
            TokenTree::Group(group) if !hit => {
                TokenTree::from(Group::new(group.delimiter(), change(group.stream(), index, slip)))
            }
            token => token,
        };
        match slip {
            _ if !hit => changed.push(token),
            Slip::Left => {}
            Slip::Doubled => changed.extend([token.clone(), token]),
            Slip::Became(other) => changed.extend(other.parse::<TokenStream>().expect("tokens")),
        }
    }
    changed.into_iter().collect()
}

#[test]
fn any_slip_in_any_token_leaves_a_valid_model() {
    let mut total = 0;
    for source in DECLARATIONS {
        let tokens: TokenStream = source.parse().expect("tokens");
        let count = tokens.to_string().split_whitespace().count();
        for slip in SLIPS {
            for index in 0..2 * count {
                let changed = change(tokens.clone(), &mut { index }, slip);
                let analysis = neuron_codegen::check::analyse(changed.clone());
                let errors = analysis.report.iter().count();
                if let Some(model) = &analysis.model {
                    assert_valid(model);
                } else {
                    assert!(errors > 0, "{changed}");
                }
                total += 1;
                // A word too few or too many is what people slip on; the others are there for the parser.
                let most = if matches!(slip, Slip::Left | Slip::Doubled) { 2 } else { 4 };
                assert!(errors <= most, "{changed}: {:#?}", analysis.report);
            }
        }
    }
    assert!(total > 3000, "{total}");
}

#[test]
fn what_is_wrong_is_replaced() {
    let model = analysis("struct Bad { param tau = ; flag f = 3; state u = v; }").model.expect("a model");
    assert_valid(&model);
    assert_eq!(model.graph.node(model.charge), Node::Add(model.states[0].leaf, model.inputs[0].leaf));
    assert_eq!(model.resets, [Reset::Hard]);
    assert_eq!(model.states[1].update, Some(model.states[1].leaf));
    assert_eq!(model.params.len(), 3);
    for source in
        ["struct Bad;", "struct Bad(f32);", "struct Bad {}", "enum Bad {}", "Bad { charge = v + x; }"]
    {
        assert_valid(&analysis(source).model.expect("a model"));
    }
}

#[test]
fn large_expressions_are_refused_not_overflowed() {
    let most = format!("struct Sum {{ charge = v + {}x; reset hard; }}", "x + ".repeat(498));
    assert_valid(&super::model(&most));
    let deep = format!("struct Bad {{ charge = {}x{}; reset hard; }}", "(".repeat(200), ")".repeat(200));
    let signs = format!("struct Bad {{ charge = {}x; reset hard; }}", "-".repeat(5000));
    let long = format!("struct Bad {{ charge = v + {}x; reset hard; }}", "x + ".repeat(5000));
    let choices = format!("struct Bad {{ charge = {} x; reset hard; }}", "if v < x { v } else ".repeat(5000));
    for source in [deep, signs, long, choices] {
        let analysis = analysis(&source);
        assert_eq!(analysis.report.iter().count(), 1);
        assert_valid(&analysis.model.expect("a model"));
    }
}

/// Found by mutations: a keyword before the body was taken for the name.
#[test]
fn what_has_no_name_becomes_an_error_only() {
    let surrogate = neuron_codegen::surrogate::expand;
    let neuron = |tokens| neuron_codegen::expand::expand(tokens, None);
    for code in [
        surrogate("pub struct { primitive = u; }".parse().expect("tokens")),
        surrogate("surrogate { primitive = u; }".parse().expect("tokens")),
        neuron("fn { charge = v + x; reset hard; }".parse().expect("tokens")),
        neuron("pub { charge = v + x; reset hard; }".parse().expect("tokens")),
    ] {
        let file: syn::File = syn::parse2(code).expect("items");
        assert!(matches!(file.items.as_slice(), [syn::Item::Macro(_)]), "{file:?}");
    }
}
