//! The struct of named arrays of each template, and the method that takes it.

use proc_macro2::TokenStream;
use quote::quote;

use super::{docs, ident, module_name};
use crate::gradient::Derived;
use crate::variant::{Buffer, Class, Content, Extent, Signature, Template};

/// The struct of arrays of each template.
pub fn structs(derived: &Derived) -> TokenStream {
    Template::of(&derived.model)
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
    let shape = match buffer.extent {
        Extent::Step if buffer.class == Class::Bits => "`[T, ceil(N / 32)]`",
        Extent::Step => "`[T, N]`",
        Extent::Neuron => "`[N]`",
        Extent::Checkpoint => "`[(T - 1) / 8, N]`, empty up to `T = 8`",
        Extent::Parameter if template.is_backward() && !buffer.name.starts_with("grad_") => {
            "as in the forward pass"
        }
        Extent::Parameter if template.is_backward() => "as many as the parameter has",
        Extent::Parameter => "one value, or one a channel, or one a neuron",
    };
    let is_gradient = buffer.name.starts_with("grad_");
    let kept = |what: &str| match template.is_backward() {
        true => format!("From the forward pass: {what}"),
        false => format!("Out: {what}"),
    };
    let what = match (&buffer.content, is_gradient) {
        (Content::Input(name), false) => format!("Input `{name}`"),
        (Content::Input(name), true) => format!("Out: gradient of the loss with respect to input `{name}`"),
        (Content::Output, _) if buffer.class == Class::Bits => {
            "Out: spikes, that of neuron `n` being bit `n % 32` of word `n / 32` of a step".to_owned()
        }
        (Content::Output, is_gradient) => {
            let spikes = derived.model.threshold().is_some();
            match (spikes, is_gradient) {
                (true, false) => "Out: spikes, 0 or 1".to_owned(),
                (true, true) => "Gradient of the loss with respect to the spikes".to_owned(),
                (false, false) => "Out: what the neuron gives".to_owned(),
                (false, true) => "Gradient of the loss with respect to the output".to_owned(),
            }
        }
        (Content::Param(name), _) if buffer.name != *name => {
            format!("Out: gradient of the loss with respect to `{name}`, summed over steps and neurons")
        }
        (Content::Param(name), _) => format!("Parameter `{name}`"),
        (Content::State(name), false) => format!("`{name}` before the first step"),
        (Content::State(name), true) => {
            format!("Out: gradient of the loss with respect to `{name}` before the first step")
        }
        (Content::NextState(name), false) => format!("Out: `{name}` after the last step"),
        (Content::NextState(name), true) => {
            format!("Gradient of the loss with respect to `{name}` after the last step")
        }
        (Content::Trace, _) => "Out: `v` after every step".to_owned(),
        (Content::Checkpoint(name), _) => {
            let what = format!("`{name}` before every 8th step but the first");
            kept(&what)
        }
        (Content::Factor(name), _) => {
            let meaning = match name.as_str() {
                "grad_s_to_h" => "dS/dH, the surrogate gradient".to_owned(),
                _ => {
                    let (of, by) =
                        name.trim_start_matches("grad_").split_once("_to_").expect("a factor's name");
                    let is_state = derived.model.states.iter().any(|s| s.name == of);
                    let next = if is_state { " after the step" } else { "" };
                    format!("derivative of `{of}`{next} with respect to `{by}`")
                }
            };
            kept(&meaning)
        }
    };
    format!("{what}; {shape}.")
}

/// One method a template.
pub fn methods(derived: &Derived, krate: &TokenStream) -> TokenStream {
    let name = &derived.model.name;
    let methods = Template::of(&derived.model).map(|template| method(derived, template, krate));
    quote! {
        impl #name { #(#methods)* }
    }
}

fn method(derived: &Derived, template: Template, krate: &TokenStream) -> TokenStream {
    let signature = Signature::new(derived, template);
    let module = ident(&module_name(&derived.model));
    let (method, buffers) = (ident(template.name()), ident(template.type_name()));
    let title = template.title();
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
    let fields: Vec<_> = signature.buffers().map(|buffer| ident(&buffer.name)).collect();
    let wrap = |buffer: &Buffer, kind: TokenStream| {
        let field = ident(&buffer.name);
        let class = match (buffer.extent, buffer.class) {
            (Extent::Parameter, _) => quote!(Parameter),
            (_, Class::Signal) => quote!(Signal),
            (_, Class::State) => quote!(State),
            (_, Class::Bits) => quote!(Bits),
        };
        quote! { #krate::#kind::#class(#field) }
    };
    let inputs = signature.inputs.iter().map(|buffer| wrap(buffer, quote!(Source)));
    let outputs = signature.outputs.iter().map(|buffer| wrap(buffer, quote!(Sink)));
    // The membrane potential or its gradient: one value a neuron.
    let state =
        signature.inputs.iter().find(|b| matches!(b.content, Content::State(_) | Content::NextState(_)));
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
            let #module::#buffers { #(#fields),* } = buffers;
            #krate::Neuron::run(self, #krate::Call {
                template: #krate::Template::#buffers,
                neurons: #state.len(),
                gradient: #gradient,
                inputs: &[#(#inputs),*],
                outputs: &mut [#(#outputs),*],
            })
        }
    }
}
