//! The struct of named arrays of each template, and the method that takes it.

use proc_macro2::TokenStream;
use quote::quote;

use super::ident;
use crate::description::module_name;
use crate::emit::docs::docs;
use crate::gradient::Derived;
use crate::identifiers;
use crate::interface::Role;
use crate::ir::Quantity;
use crate::model::Output;
use crate::variant::{self, Absent, Buffer, Class, Extent, Signature, Template};

/// The struct of arrays of each template.
pub fn structs(derived: &Derived) -> TokenStream {
    variant::templates(&derived.model)
        .map(|template| structure(derived, &Signature::new(derived, template)))
        .collect()
}

fn structure(derived: &Derived, signature: &Signature) -> TokenStream {
    let template = signature.template;
    let name = ident(template.type_name());
    let about =
        docs([format!("Arrays of [`{0}::{1}`](super::{0}::{1}).", derived.model.name, template.name())]);
    let field = |buffer: &Buffer, written: bool| {
        let about = docs([describe(derived, buffer, template)]);
        let field = ident(&buffer.name);
        let format = match buffer.class {
            Class::Signal => quote!(E),
            Class::State => quote!(E::Real),
            Class::Bits => quote!(u32),
        };
        let parameter = buffer.extent == Extent::Parameter;
        match (written, parameter) {
            (true, _) => quote! { #about pub #field: &'a mut [#format], },
            (false, true) => quote! { #about pub #field: Parameter<'a, #format>, },
            (false, false) => quote! { #about pub #field: &'a [#format], },
        }
    };
    let inputs = signature.inputs.iter().map(|buffer| field(buffer, false));
    let outputs = signature.outputs.iter().map(|buffer| field(buffer, true));
    quote! {
        #about
        #[derive(Debug)]
        pub struct #name<'a, E: Element> {
            #(#inputs)*
            #(#outputs)*
        }
    }
}

fn describe(derived: &Derived, buffer: &Buffer, template: Template) -> String {
    let Derived { model, .. } = derived;
    let shape = match (buffer.extent, buffer.role) {
        (Extent::Step, _) if buffer.class == Class::Bits => "`[T, ceil(N / 32)]`",
        (Extent::Step, _) => "`[T, N]`",
        (Extent::Neuron, role) if role.absent() == Some(Absent::Unwritten) => "`[N]`, or empty if not wanted",
        (Extent::Neuron, _) => "`[N]`",
        (Extent::Checkpoint, _) => "`[(T - 1) / 8, N]`, empty up to `T = 8`",
        (Extent::Parameter, Role::GradParam(_)) => "as many as the parameter has",
        (Extent::Parameter, _) if template.is_backward() => "as in the forward pass",
        (Extent::Parameter, _) => "one value, or one a channel, or one a neuron",
    };
    let kept = |what: &str| match template.is_backward() {
        true => format!("From the forward pass: {what}"),
        false => format!("Out: {what}"),
    };
    let spikes = !matches!(model.output, Output::Value(_));
    let input = |index: usize| model.name_of(Quantity::Input(index));
    let state = |index: usize| model.name_of(Quantity::State(index));
    let param = |index: usize| identifiers::text(&model.params[index].name);
    let gradient = |of: String| format!("gradient of the loss with respect to {of}");
    let what = match buffer.role {
        Role::Input(index) => format!("Input `{}`", input(index)),
        Role::GradInput(index) => format!("Out: {}", gradient(format!("input `{}`", input(index)))),
        Role::Output if buffer.class == Class::Bits => {
            "Out: spikes, that of neuron `n` being bit `n % 32` of word `n / 32` of a step".to_owned()
        }
        Role::Output if model.fires_bits() => "Out: spikes, 0 or 1".to_owned(),
        Role::Output if spikes => "Out: numbers of spikes".to_owned(),
        Role::Output => "Out: what the neuron gives".to_owned(),
        Role::GradOutput if spikes => "Gradient of the loss with respect to the spikes".to_owned(),
        Role::GradOutput => "Gradient of the loss with respect to the output".to_owned(),
        Role::Param(index) => format!("Parameter `{}`", param(index)),
        Role::GradParam(index) => {
            format!("Out: {}, summed over steps and neurons", gradient(format!("`{}`", param(index))))
        }
        Role::State(index) => format!("`{}` before the first step", state(index)),
        Role::GradState(index) => {
            format!("Out: {}", gradient(format!("`{}` before the first step", state(index))))
        }
        Role::NextState(index) => format!("Out: `{}` after the last step", state(index)),
        Role::GradNextState(index) => {
            format!("Gradient of the loss with respect to `{}` after the last step", state(index))
        }
        Role::Trace => "Out: `v` after every step".to_owned(),
        Role::Checkpoint(index) => kept(&format!("`{}` before every 8th step but the first", state(index))),
        Role::Factor(index) => {
            let factor = derived.kept_factor(index);
            kept(&match factor.of {
                Quantity::Output if spikes && factor.by == Quantity::Charged => {
                    "dS/dH, the surrogate gradient".to_owned()
                }
                of => {
                    let next = if matches!(of, Quantity::State(_)) { " after the step" } else { "" };
                    let of = if of == Quantity::Output {
                        model.output.name().to_owned()
                    } else {
                        model.name_of(of)
                    };
                    format!("derivative of `{of}`{next} with respect to `{}`", model.name_of(factor.by))
                }
            })
        }
    };
    format!("{what}; {shape}.")
}

/// One method a template.
pub fn methods(derived: &Derived, krate: &TokenStream) -> TokenStream {
    let name = &derived.model.name;
    let methods = variant::templates(&derived.model).map(|template| method(derived, template, krate));
    quote! {
        impl #name { #(#methods)* }
    }
}

fn method(derived: &Derived, template: Template, krate: &TokenStream) -> TokenStream {
    let signature = Signature::new(derived, template);
    let module = ident(&module_name(&derived.model));
    let (method, buffers) = (ident(template.name()), ident(template.type_name()));
    let title = variant::title(template);
    let title = format!("{}{}.", title[..1].to_uppercase(), &title[1..]);
    let about = docs([
        title.as_str(),
        "",
        "`N` is the length of the states, and `T` that of a sequence divided by `N`.",
        "",
        "# Errors",
        "A parameter out of its range, no neurons or steps, arrays whose lengths disagree. Nothing has been",
        "written then.",
    ]);
    let wrap = |buffer: &Buffer, kind: TokenStream| {
        let field = ident(&buffer.name);
        let class = match (buffer.extent, buffer.class) {
            (Extent::Parameter, _) => quote!(Parameter),
            (_, Class::Signal) => quote!(Signal),
            (_, Class::State) => quote!(State),
            (_, Class::Bits) => quote!(Bits),
        };
        quote! { #krate::#kind::#class(buffers.#field) }
    };
    let inputs = signature.inputs.iter().map(|buffer| wrap(buffer, quote!(Source)));
    let outputs = signature.outputs.iter().map(|buffer| wrap(buffer, quote!(Sink)));
    // The membrane potential or its gradient: one value a neuron.
    let is_state = |buffer: &&Buffer| matches!(buffer.role, Role::State(_) | Role::GradNextState(_));
    let state = signature.inputs.iter().find(is_state);
    let state = ident(&state.expect("every neuron has a membrane potential").name);
    let (argument, gradient) = if template.takes_gradient() {
        (quote!(gradient: #krate::Gradient,), quote!(gradient))
    } else {
        (quote!(), quote!(::core::default::Default::default()))
    };
    quote! {
        #about
        pub fn #method<E: #krate::Element>(
            &self,
            #argument
            buffers: #module::#buffers<'_, E>,
        ) -> ::core::result::Result<(), #krate::Error> {
            #krate::Neuron::run(self, #krate::Call {
                template: #krate::Template::#buffers,
                neurons: buffers.#state.len(),
                gradient: #gradient,
                inputs: &[#(#inputs),*],
                outputs: &mut [#(#outputs),*],
            })
        }
    }
}
