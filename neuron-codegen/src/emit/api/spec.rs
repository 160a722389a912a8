//! `SPEC`: the neuron as data.

use proc_macro2::TokenStream;
use quote::quote;

use super::{ident, module_name, reset_variant};
use crate::gradient::Derived;
use crate::ir::Rate;
use crate::model::{Output, ParamKind};
use crate::print::dsl;
use crate::variant::{Buffer, Class, Extent, Signature, Template};

/// `pub static SPEC: Spec`.
pub fn spec(derived: &Derived, declaration: &str) -> TokenStream {
    let model = &derived.model;
    let name = model.name.to_string();
    let module = module_name(model);
    let doc = text(&model.doc);
    let inputs = model.inputs.iter().map(|input| input.name.to_string());
    let states = model.states.iter().map(|state| {
        let (name, doc, init) = (state.name.to_string(), text(&state.doc), dsl(&model.graph, state.init));
        let varies = model.graph.rate(state.init) != Rate::Uniform;
        quote! { StateSpec { name: #name, doc: #doc, init: #init, varies: #varies } }
    });
    let params = model.params.iter().map(|param| {
        let (name, doc, default) = (param.name.to_string(), text(&param.doc), param.default);
        let range = param.conditions.iter().map(|c| c.text.clone()).collect::<Vec<_>>().join(", ");
        let kind = ident(kind_variant(param.kind));
        quote! { ParamSpec { kind: ParamKind::#kind, name: #name, doc: #doc, default: #default, range: #range } }
    });
    let flags = model.flags.iter().map(|flag| {
        let (name, doc, default) = (flag.name.to_string(), text(&flag.doc), flag.default);
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
        quote! { BufferSpec { name: #name, class: Class::#class, extent: Extent::#extent } }
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

/// The equations of one step, in order, as name and right-hand side.
pub fn equations(derived: &Derived) -> Vec<(String, String)> {
    let model = &derived.model;
    let g = &model.graph;
    let mut rows = vec![("h".to_owned(), dsl(g, model.charge))];
    rows.push(match model.output {
        Output::Spike { threshold } => ("spike".into(), format!("h >= {}", dsl(g, threshold))),
        Output::Value(value) => ("output".into(), dsl(g, value)),
    });
    for (reset, &expr) in model.resets.iter().zip(&derived.resets) {
        rows.push((format!("v_next ({} reset)", reset.word()), dsl(g, expr)));
    }
    for state in &model.states[1..] {
        if let Some(update) = state.update {
            rows.push((format!("{}_next", state.name), dsl(g, update)));
        }
    }
    rows
}

/// All factors that are not zero, and the gradients made of them.
pub fn derivatives(derived: &Derived) -> Vec<(String, String)> {
    let g = &derived.model.graph;
    let mut rows = Vec::new();
    for factor in &derived.factors {
        if factor.name == "grad_s_to_h" {
            let threshold = crate::emit::rust::threshold(derived);
            rows.push((factor.name.clone(), format!("surrogate(h - {threshold})")));
        } else if factor.exprs.iter().all(|expr| *expr == factor.exprs[0]) {
            rows.push((factor.name.clone(), dsl(g, factor.exprs[0])));
        } else {
            for (reset, &expr) in derived.model.resets.iter().zip(&factor.exprs) {
                rows.push((format!("{} ({} reset)", factor.name, reset.word()), dsl(g, expr)));
            }
        }
    }
    rows.push(("grad_h".into(), dsl(g, derived.grad_h)));
    for grad in derived.grad_inputs.iter().chain(&derived.grad_states).chain(&derived.grad_params) {
        rows.push((format!("grad_{}", grad.of), dsl(g, grad.expr)));
    }
    rows
}
