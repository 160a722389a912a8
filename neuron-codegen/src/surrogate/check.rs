//! A declaration to a [`Surrogate`]. Names, sorts and ranges are checked in [`lowering`](crate::lowering), as those of
//! neurons are; here is what only surrogates have: limits, and a gradient that has to be of use.

use std::collections::HashMap;

use super::{MAX_DEPTH, MAX_LETS, MAX_PARAMETERS, Surrogate, probe, tidy};
use crate::derive::slope;
use crate::ir::{Func, Graph, Id, Node, Quantity};
use crate::lowering::{Language, Lowering, Place, Symbol};
use crate::report::{Diagnostic, Report};
use crate::syntax::{self, Declaration, Expr};

/// What only surrogates have.
static SURROGATE: Language = Language {
    grammar: &syntax::SURROGATE,
    equation: "primitive",
    given: &[("u", Symbol::Distance), ("PI", Symbol::Pi)],
    params: &[],
    refused: &[
        ("u", "it is the distance from the threshold, which every surrogate is a function of"),
        ("PI", "it is the number 3.14159..."),
    ],
    variable: "u",
    aliases: &["h", "v", "x", "s", "z", "spike", "v_threshold", "v_th", "U"],
    instead_of_alias: "a surrogate is a function of `u = h - v_threshold`: write `u`",
    use_in: "`primitive`",
};

/// The surrogate that `declaration` declares. Where that is wrong, something valid takes its place.
pub fn surrogate(declaration: &Declaration, report: &mut Report, warnings: &mut Report) -> Surrogate {
    let mut lowering = Lowering::new(&SURROGATE, declaration, report, warnings);
    lowering.struct_name(|_| String::new());
    let u = lowering.leaf(Quantity::Distance, "u");
    let is_small = limits(&mut lowering);
    let mut params = lowering.params([].into());
    lowering.resolve_all();
    let written = lowering.scope.equation;
    let primitive = match written {
        Some(value) => lowering.number(value, Place::Primitive),
        None => {
            let help = "write for example `primitive = sigmoid(4.0 * u);`: its derivative is the gradient";
            lowering.missing("primitive", help);
            None
        }
    };
    // Beyond the limits, there is no place for its parameters, or too little stack to rearrange it.
    let primitive = primitive.filter(|&primitive| {
        if let Some(value) = written
            && is_small
            && depth(&lowering.graph, primitive) > MAX_DEPTH
        {
            let message = format!("a primitive has at most {MAX_DEPTH} operations inside one another");
            let error = Diagnostic::new(value.extent, message);
            lowering.report.push(error.help("those in what it names by `let` count, too"));
            return false;
        }
        is_small
    });
    params.truncate(MAX_PARAMETERS);
    lowering.unused();
    // Of what is wrong in itself, nothing is known to follow.
    let is_sound = lowering.report.is_empty();
    if is_sound {
        lowering.domains(&params);
    }
    let graph = &mut lowering.graph;
    let primitive = primitive.unwrap_or_else(|| graph.add(Node::Call(Func::Sigmoid, u)));
    let slope = slope(graph, primitive, u);
    let (gradient, gradient_names) = tidy::tidied(graph, slope, &lowering.names);
    let surrogate = Surrogate {
        name: declaration.name.clone(),
        vis: declaration.vis.clone(),
        attrs: declaration.attrs.clone(),
        doc: declaration.doc.clone(),
        graph: lowering.graph,
        u,
        params,
        primitive,
        gradient,
        names: lowering.names,
        gradient_names,
    };
    if let Some(error) = written.filter(|_| is_sound).and_then(|value| useless(&surrogate, value)) {
        lowering.report.push(error);
    }
    surrogate
}

/// Whether there are as many parameters and `let`s as there may be at most; reports the first that is one too many.
fn limits(lowering: &mut Lowering<'_>) -> bool {
    let scope = &lowering.scope;
    let mut is_small = true;
    for (declared, most, what, help) in [
        (&scope.params, MAX_PARAMETERS, "parameters", "write constants as numbers, or name them by `let`"),
        (&scope.lets, MAX_LETS, "named expressions", "its derivative is rearranged as a whole"),
    ] {
        if let Some((name, _)) = declared.get(most) {
            let error = Diagnostic::new(*name, format!("a surrogate has at most {most} {what}"));
            lowering.report.push(error.help(help));
            is_small = false;
        }
    }
    is_small
}

/// How deep the operations in `id` are nested.
fn depth(graph: &Graph, id: Id) -> usize {
    let mut depths: HashMap<Id, usize> = HashMap::new();
    // Operands come first.
    for part in graph.reach([id]) {
        let deepest = graph.node(part).operands().map(|operand| depths[&operand] + 1).max();
        depths.insert(part, deepest.unwrap_or(0));
    }
    depths[&id]
}

/// What is wrong with a gradient that is no use: 0 everywhere, or not a number somewhere.
fn useless(surrogate: &Surrogate, written: &Expr) -> Option<Diagnostic> {
    let Surrogate { name, graph, gradient, .. } = surrogate;
    if graph.number(*gradient) == Some(0.0) {
        let message = format!("the gradient of `{name}` is 0 everywhere: nothing would be learned");
        return Some(Diagnostic::new(written.extent, message).help(
            if graph.contains(surrogate.primitive, surrogate.u) {
                "the primitive is a smooth version of the step, such as `sigmoid(4.0 * u)`, not the step itself"
            } else {
                "the primitive depends on `u`, the distance from the threshold"
            },
        ));
    }
    let probe::Failure { what, u, value, format } = probe::failure(surrogate)?;
    let message = format!("the {what} of `{name}` is {value} at u = {u:?} in {format}");
    Some(Diagnostic::new(written.extent, message).help(
        "it has to be finite everywhere, so nothing in it may overflow: `sigmoid` and `tanh` do not, nor does \
         `exp(-abs(u))`",
    ))
}
