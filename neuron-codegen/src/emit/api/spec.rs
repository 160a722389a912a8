//! `SPEC`: the neuron as data.

use neuron_abi::Lanes;
use proc_macro2::TokenStream;
use quote::quote;

use super::variant_of;
use crate::description::{Description, Flag, Param, State};
use crate::gradient::Derived;
use crate::variant::{Buffer, Signature};

/// `pub static SPEC: Spec`.
pub fn spec(derived: &Derived, declaration: &str, cuda: &TokenStream) -> TokenStream {
    let description = Description::new(derived);
    let Description { name, module, doc, inputs, states, params, flags, output, resets, factors, .. } =
        &description;
    let states = states.iter().map(|State { name, doc, init, varies }| {
        quote! { StateSpec { name: #name, doc: #doc, init: #init, varies: #varies } }
    });
    let params = params.iter().map(|Param { kind, name, doc, default, range }| {
        let kind = variant_of(kind);
        quote! { ParamSpec { kind: ParamKind::#kind, name: #name, doc: #doc, default: #default, range: #range } }
    });
    let flags = flags.iter().map(|Flag { name, doc, default }| {
        quote! { FlagSpec { name: #name, doc: #doc, default: #default } }
    });
    let resets = resets.iter().map(variant_of);
    let nonlinear = description.nonlinear.iter().map(|place| match place {
        Some(place) => quote! { Some(#place) },
        None => quote! { None },
    });
    let equation = |(name, expr): &(String, String)| quote! { Equation { name: #name, expr: #expr } };
    let equations = description.equations.iter().map(equation);
    let derivatives = description.derivatives.iter().map(equation);
    let signatures = description.signatures.iter().map(signature);
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
            nonlinear: &[#(#nonlinear),*],
            factors: &[#(#factors),*],
            equations: &[#(#equations),*],
            derivatives: &[#(#derivatives),*],
            signatures: &[#(#signatures),*],
            cuda: #cuda,
        };
    }
}

fn signature((signature, lanes): &(Signature, Lanes)) -> TokenStream {
    let template = variant_of(signature.template);
    let buffer = |Buffer { name, role, class, extent }: &Buffer| {
        let (role, class, extent) = (variant_of(role), variant_of(class), variant_of(extent));
        quote! { BufferSpec { name: #name, role: Role::#role, class: Class::#class, extent: Extent::#extent } }
    };
    let (inputs, outputs) = (signature.inputs.iter().map(buffer), signature.outputs.iter().map(buffer));
    let Lanes { double, single, half } = lanes;
    quote! {
        Signature {
            template: Template::#template,
            inputs: &[#(#inputs),*],
            outputs: &[#(#outputs),*],
            lanes: Lanes { double: #double, single: #single, half: #half },
        }
    }
}
