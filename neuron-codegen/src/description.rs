//! A neuron as data: what the macro writes into `SPEC`, and what those who declare neurons at run time make one from.

use neuron_abi::{Lanes, ParamKind, Reset};

use crate::emit::equations::Table;
use crate::gradient::Derived;
use crate::identifiers;
use crate::interface::Role;
use crate::ir::Rate;
use crate::kernel::Subject;
use crate::model::{Model, Output};
use crate::print::dsl;
use crate::schedule::{Schedule, Target};
use crate::variant::{Signature, templates};

/// All that is known of a neuron before its parameters have values; the fields are those of the runtime's `Spec`.
#[derive(Clone, Debug)]
pub struct Description {
    /// Name of the struct.
    pub name: String,
    /// Name of the module, the prefix of its CUDA kernels.
    pub module: String,
    /// Doc comment.
    pub doc: String,
    /// Names of the inputs.
    pub inputs: Vec<String>,
    /// States; `v` first.
    pub states: Vec<State>,
    /// Parameters.
    pub params: Vec<Param>,
    /// Flags.
    pub flags: Vec<Flag>,
    /// The name of its output.
    pub output: &'static str,
    /// The declared resets.
    pub resets: Vec<Reset>,
    /// For each of the resets, the equation that keeps a step from being affine in the states, as its place among
    /// `equations`; `None` if it is affine.
    pub nonlinear: Vec<Option<usize>>,
    /// Names of the factors that are kept for the backward pass.
    pub factors: Vec<String>,
    /// Name and right-hand side of each equation.
    pub equations: Vec<(String, String)>,
    /// The same for the derivatives.
    pub derivatives: Vec<(String, String)>,
    /// The arrays of each template, and how many neurons a GPU thread computes.
    pub signatures: Vec<(Signature, Lanes)>,
}

/// A state.
#[derive(Clone, Debug)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Doc comment.
    pub doc: String,
    /// Its value before the first step, in the syntax of the language.
    pub init: String,
    /// Whether that may differ between neurons.
    pub varies: bool,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// What values it has.
    pub kind: ParamKind,
    /// Its name.
    pub name: String,
    /// Doc comment.
    pub doc: String,
    /// Its default.
    pub default: f64,
    /// The conditions of its range, as written.
    pub range: String,
}

/// A flag.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Its name.
    pub name: String,
    /// Doc comment.
    pub doc: String,
    /// Its default.
    pub default: bool,
}

impl Description {
    /// Of a neuron.
    pub fn new(derived: &Derived) -> Self {
        let model = &derived.model;
        let states = model.states.iter().map(|state| State {
            name: identifiers::text(&state.name),
            doc: text(&state.doc),
            init: dsl(&model.graph, state.init),
            varies: model.graph.rate(state.init) != Rate::Uniform,
        });
        let params = model.params.iter().map(|param| Param {
            kind: param.kind,
            name: identifiers::text(&param.name),
            doc: text(&param.doc),
            default: param.default,
            range: param.conditions.iter().map(|c| c.text.clone()).collect::<Vec<_>>().join(", "),
        });
        let flags = model.flags.iter().map(|flag| Flag {
            name: identifiers::text(&flag.name),
            doc: text(&flag.doc),
            default: flag.default,
        });
        let signatures = templates(model).map(|template| {
            let signature = Signature::new(derived, template);
            let lanes = Schedule::of(&signature, Target::CUDA).width.lanes();
            (signature, lanes)
        });
        let equations = equations(derived);
        let nonlinear = (0..model.resets.len()).map(|which| {
            let subject = derived.nonlinear(which)?;
            let names = [subject.name(derived), reset_row(derived, subject, model.resets[which])];
            equations.iter().position(|(name, _)| names.contains(name))
        });
        let nonlinear = nonlinear.collect();
        Self {
            name: identifiers::text(&model.name),
            module: module_name(model),
            doc: text(&model.doc),
            inputs: model.inputs.iter().map(|input| identifiers::text(&input.name)).collect(),
            states: states.collect(),
            params: params.collect(),
            flags: flags.collect(),
            output: model.output.name(),
            resets: model.resets.clone(),
            factors: derived.kept().map(|factor| factor.name.clone()).collect(),
            nonlinear,
            equations,
            derivatives: derivatives(derived),
            signatures: signatures.collect(),
        }
    }
}

/// A doc comment without the space that begins each of its lines.
pub(crate) fn text(lines: &[String]) -> String {
    lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// `LeakyIntegrator` to `leaky_integrator`; a word that Rust keeps for itself gets an underscore: `if_`.
pub fn module_name(model: &Model) -> String {
    let name = identifiers::text(&model.name);
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (i, &c) in letters.iter().enumerate() {
        let after_small = i > 0 && !letters[i - 1].is_uppercase() && letters[i - 1] != '_';
        let before_small = i > 0 && letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && i > 0 && (after_small || (before_small && letters[i - 1].is_uppercase())) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    let mut module = identifiers::module(&snake);
    // A name that is not in camel case is a mistake, which must not lead to a second one.
    if module == name {
        module.push('_');
    }
    module
}

/// The equations of one step, in order, as name and right-hand side.
pub fn equations(derived: &Derived) -> Vec<(String, String)> {
    let model = &derived.model;
    let updates = || model.states[1..].iter().zip(1..).filter_map(|(state, i)| Some((i, state.update?)));
    let shown = [model.charge].into_iter().chain(model.outputs()).chain(derived.resets.iter().copied());
    let mut table = Table::new(derived, shown.chain(updates().map(|(_, update)| update)));
    table.row("h", model.charge);
    if let Some(spike) = model.spike {
        table.row("spike", spike.value);
    }
    match model.output {
        Output::Spike { threshold, strict } => table.fires(threshold, strict),
        Output::Spikes => {}
        Output::Value(value) => table.row("output", value),
    }
    let next = |index| Subject::Array(Role::NextState(index)).name(derived);
    for (reset, &expr) in model.resets.iter().zip(&derived.resets) {
        table.row(&reset_row(derived, Subject::Array(Role::NextState(0)), *reset), expr);
    }
    for (index, update) in updates() {
        table.row(&next(index), update);
    }
    table.rows()
}

/// The name of an equation that differs between resets.
fn reset_row(derived: &Derived, subject: Subject, reset: Reset) -> String {
    format!("{} ({} reset)", subject.name(derived), reset.word())
}

/// All factors that are not zero, and the gradients made of them.
pub fn derivatives(derived: &Derived) -> Vec<(String, String)> {
    let grads = [
        (&derived.grad_inputs, Role::GradInput as fn(usize) -> Role),
        (&derived.grad_states, Role::GradState),
        (&derived.grad_params, Role::GradParam),
    ];
    let grads = || grads.into_iter().flat_map(|(grads, role)| grads.iter().map(move |grad| (grad, role)));
    let exprs = derived.factors.iter().flat_map(|factor| factor.exprs.iter().copied());
    let exprs = exprs.chain([derived.grad_h]).chain(grads().map(|(grad, _)| grad.expr));
    let mut table = Table::new(derived, exprs);
    for factor in &derived.factors {
        if factor.value == derived.leaves.s_to_h {
            let distance = table.distance();
            table.text(&factor.name, format!("surrogate({distance})"));
        } else if factor.exprs.iter().all(|expr| *expr == factor.exprs[0]) {
            table.row(&factor.name, factor.exprs[0]);
        } else {
            for (reset, &expr) in derived.model.resets.iter().zip(&factor.exprs) {
                table.row(&format!("{} ({} reset)", factor.name, reset.word()), expr);
            }
        }
    }
    table.row("grad_h", derived.grad_h);
    for (grad, role) in grads() {
        table.row(&Subject::Array(role(grad.index)).name(derived), grad.expr);
    }
    table.rows()
}
