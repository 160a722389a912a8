//! `SPEC`: the neuron as data.

use neuron_abi::Lanes;
use proc_macro2::TokenStream;
use quote::quote;

use super::{module_name, variant_of};
use crate::emit::equations::Table;
use crate::gradient::Derived;
use crate::identifiers;
use crate::interface::Role;
use crate::ir::Rate;
use crate::kernel::Subject;
use crate::model::Output;
use crate::print::dsl;
use crate::schedule::{Schedule, Target};
use crate::variant::{Buffer, Signature, templates};

/// `pub static SPEC: Spec`.
pub fn spec(derived: &Derived, declaration: &str, cuda: &TokenStream) -> TokenStream {
    let model = &derived.model;
    let name = identifiers::text(&model.name);
    let module = module_name(model);
    let doc = text(&model.doc);
    let inputs = model.inputs.iter().map(|input| identifiers::text(&input.name));
    let states = model.states.iter().map(|state| {
        let (name, doc, init) =
            (identifiers::text(&state.name), text(&state.doc), dsl(&model.graph, state.init));
        let varies = model.graph.rate(state.init) != Rate::Uniform;
        quote! { StateSpec { name: #name, doc: #doc, init: #init, varies: #varies } }
    });
    let params = model.params.iter().map(|param| {
        let (name, doc, default) = (identifiers::text(&param.name), text(&param.doc), param.default);
        let range = param.conditions.iter().map(|c| c.text.clone()).collect::<Vec<_>>().join(", ");
        let kind = variant_of(param.kind);
        quote! { ParamSpec { kind: ParamKind::#kind, name: #name, doc: #doc, default: #default, range: #range } }
    });
    let flags = model.flags.iter().map(|flag| {
        let (name, doc, default) = (identifiers::text(&flag.name), text(&flag.doc), flag.default);
        quote! { FlagSpec { name: #name, doc: #doc, default: #default } }
    });
    let resets = model.resets.iter().map(variant_of);
    let output = model.output.name();
    let factors = derived.kept().map(|factor| factor.name.clone());
    let equation = |(name, expr): (String, String)| quote! { Equation { name: #name, expr: #expr } };
    let equations = equations(derived).into_iter().map(equation);
    let derivatives = derivatives(derived).into_iter().map(equation);
    let signatures = templates(model).map(|template| signature(&Signature::new(derived, template)));
    quote! {
        /// The neuron as data.
        pub static SPEC: Spec = Spec {
            name: #name,
            module: #module,
            doc: #doc,
            declaration: #declaration,
            inputs: &[#(#inputs),*],
            states: &[#(#states),*],
            params: &[#(#params),*],
            flags: &[#(#flags),*],
            output: #output,
            resets: &[#(Reset::#resets),*],
            factors: &[#(#factors),*],
            equations: &[#(#equations),*],
            derivatives: &[#(#derivatives),*],
            signatures: &[#(#signatures),*],
            cuda: #cuda,
        };
    }
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn signature(signature: &Signature) -> TokenStream {
    let template = variant_of(signature.template);
    let buffer = |Buffer { name, role, class, extent }: &Buffer| {
        let (role, class, extent) = (variant_of(role), variant_of(class), variant_of(extent));
        quote! { BufferSpec { name: #name, role: Role::#role, class: Class::#class, extent: Extent::#extent } }
    };
    let (inputs, outputs) = (signature.inputs.iter().map(buffer), signature.outputs.iter().map(buffer));
    let Lanes { double, single, half } = Schedule::of(signature, Target::CUDA).width.lanes();
    quote! {
        Signature {
            template: Template::#template,
            inputs: &[#(#inputs),*],
            outputs: &[#(#outputs),*],
            lanes: Lanes { double: #double, single: #single, half: #half },
        }
    }
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
        table.row(&format!("{} ({} reset)", next(0), reset.word()), expr);
    }
    for (index, update) in updates() {
        table.row(&next(index), update);
    }
    table.rows()
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
