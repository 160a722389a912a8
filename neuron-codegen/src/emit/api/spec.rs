//! `SPEC`: the neuron as data.

use proc_macro2::TokenStream;
use quote::quote;

use super::{ident, module_name, reset_variant};
use crate::emit::equations::Table;
use crate::gradient::Derived;
use crate::identifiers;
use crate::interface::Content;
use crate::ir::Rate;
use crate::kernel::Subject;
use crate::model::{Output, ParamKind};
use crate::print::dsl;
use crate::variant::{Buffer, Class, Extent, Signature, Template};

/// `pub static SPEC: Spec`.
pub fn spec(derived: &Derived, declaration: &str) -> TokenStream {
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
        let kind = ident(kind_variant(param.kind));
        quote! { ParamSpec { kind: ParamKind::#kind, name: #name, doc: #doc, default: #default, range: #range } }
    });
    let flags = model.flags.iter().map(|flag| {
        let (name, doc, default) = (identifiers::text(&flag.name), text(&flag.doc), flag.default);
        quote! { FlagSpec { name: #name, doc: #doc, default: #default } }
    });
    let resets = model.resets.iter().map(|&reset| ident(reset_variant(reset)));
    let output = model.output.name();
    let factors = derived.kept().map(|factor| factor.name.clone());
    let equation = |(name, expr): (String, String)| quote! { Equation { name: #name, expr: #expr } };
    let equations = equations(derived).into_iter().map(equation);
    let derivatives = derivatives(derived).into_iter().map(equation);
    let signatures = Template::of(model).map(|template| signature(&Signature::new(derived, template)));
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
            cuda: &CUDA,
        };
    }
}

fn kind_variant(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Scalar => "Scalar",
        ParamKind::Array => "Array",
        ParamKind::Learnable => "Learnable",
    }
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn signature(signature: &Signature) -> TokenStream {
    let template = ident(signature.template.type_name());
    let buffer = |buffer: &Buffer| {
        let name = &buffer.name;
        let extent = match buffer.extent {
            Extent::Step => quote!(Step),
            Extent::Neuron => quote!(Neuron),
            Extent::Checkpoint => quote!(Checkpoint),
            Extent::Parameter => quote!(Parameter),
        };
        let class = match buffer.class {
            Class::Signal => quote!(Signal),
            Class::State => quote!(State),
            Class::Bits => quote!(Bits),
        };
        let role = role(buffer.content);
        quote! { BufferSpec { name: #name, role: Role::#role, class: Class::#class, extent: Extent::#extent } }
    };
    let (inputs, outputs) = (signature.inputs.iter().map(buffer), signature.outputs.iter().map(buffer));
    let [double, single, half] = signature.lanes.counts();
    quote! {
        Signature {
            template: Template::#template,
            inputs: &[#(#inputs),*],
            outputs: &[#(#outputs),*],
            lanes: Lanes { double: #double, single: #single, half: #half },
        }
    }
}

fn role(content: Content) -> TokenStream {
    let (name, index) = match content {
        Content::Input(index) => ("Input", Some(index)),
        Content::GradInput(index) => ("GradInput", Some(index)),
        Content::Output => ("Output", None),
        Content::GradOutput => ("GradOutput", None),
        Content::State(index) => ("State", Some(index)),
        Content::GradState(index) => ("GradState", Some(index)),
        Content::NextState(index) => ("NextState", Some(index)),
        Content::GradNextState(index) => ("GradNextState", Some(index)),
        Content::Checkpoint(index) => ("Checkpoint", Some(index)),
        Content::Trace => ("Trace", None),
        Content::Factor(_) => ("Factor", None),
        Content::Param(index) => ("Param", Some(index)),
        Content::GradParam(index) => ("GradParam", Some(index)),
    };
    let name = ident(name);
    match index {
        Some(index) => quote!(#name(#index)),
        None => quote!(#name),
    }
}

/// The equations of one step, in order, as name and right-hand side.
pub fn equations(derived: &Derived) -> Vec<(String, String)> {
    let model = &derived.model;
    let updates = || model.states[1..].iter().zip(1..).filter_map(|(state, i)| Some((i, state.update?)));
    let output = match model.output {
        Output::Spike { threshold } => threshold,
        Output::Value(value) => value,
    };
    let shown = [model.charge, output].into_iter().chain(derived.resets.iter().copied());
    let mut table = Table::new(derived, shown.chain(updates().map(|(_, update)| update)));
    table.row("h", model.charge);
    match model.output {
        Output::Spike { threshold } => table.fires(threshold),
        Output::Value(value) => table.row("output", value),
    }
    let next = |index| Subject::Array(Content::NextState(index)).name(derived);
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
        (&derived.grad_inputs, Content::GradInput as fn(usize) -> Content),
        (&derived.grad_states, Content::GradState),
        (&derived.grad_params, Content::GradParam),
    ];
    let grads =
        || grads.into_iter().flat_map(|(grads, content)| grads.iter().map(move |grad| (grad, content)));
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
    for (grad, content) in grads() {
        table.row(&Subject::Array(content(grad.index)).name(derived), grad.expr);
    }
    table.rows()
}
