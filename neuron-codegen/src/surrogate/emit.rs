//! The expansion of `surrogate!`, and the file of the built-in surrogates.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::description::{Description, Parameter};
use super::function::Function;
use super::{MAX_PARAMETERS, Surrogate};
use crate::emit::block::Block;
use crate::emit::docs::docs;
use crate::identifiers::{self, Namespace};
use crate::ir::Id;

/// The file `emit/cuda/support/surrogates.cu`: the gradients of the runtime's own surrogates, each given by its name, its
/// equation and its function, and the list of them.
pub fn cuda_file(surrogates: &[(String, String, String)]) -> String {
    let mut text = String::from(
        "// The built-in surrogates. Generated from their declarations in the runtime: a test compares this file with them
// and rewrites it on request.

namespace surrogates {
",
    );
    for (name, gradient, function) in surrogates {
        text += &format!("\n// {name}: {gradient}\n{function}");
    }
    text += "\n} // namespace surrogates\n\n// CASE(index, name) for each of them.\n#define SURROGATES(CASE)";
    for (index, (name, ..)) in surrogates.iter().enumerate() {
        text += &format!(" \\\n    CASE({index}, {name})");
    }
    text + "\n"
}

/// What a declaration becomes in the user's crate.
pub fn expand(surrogate: &Surrogate, krate: &TokenStream) -> TokenStream {
    let Surrogate { name, vis, attrs, doc, params, .. } = surrogate;
    let description = Description::new(surrogate);
    let g = quote!(#krate::surrogate::generated);
    let doc = docs(doc);
    let primitive = lines(surrogate.equation(surrogate.primitive, &surrogate.names));
    let gradient = lines(surrogate.equation(surrogate.gradient, &surrogate.gradient_names));
    let equations =
        docs(format!("\n```text\nprimitive = {primitive}\ngradient  = {gradient}\n```").split('\n'));
    let quiet = identifiers::text(name).starts_with(char::is_lowercase);
    let quiet = quiet.then(|| quote!(#[allow(non_camel_case_types)]));
    let fields: Vec<Ident> = params.iter().map(|param| identifiers::unspanned(&param.name)).collect();
    let Description {
        name: text, params: listed, primitive: primitive_text, gradient: gradient_text, ..
    } = &description;
    let (cuda, cuda_math) = (&description.cuda, &description.cuda_math);
    let texts = listed.iter().map(|param| &param.name);
    let defaults: Vec<f64> = params.iter().map(|param| param.default).collect();
    let ranges = listed.iter().map(|param| &param.range);
    let declared = params.iter().zip(listed).map(|(param, Parameter { range, .. })| {
        let (field, doc) = (identifiers::item(&param.name), docs(&param.doc));
        let space = if param.doc.is_empty() { TokenStream::new() } else { docs([""]) };
        let valid = if range.is_empty() { "any finite number".to_owned() } else { format!("`{range}`") };
        let note = docs([format!("Default: {}. Valid: {valid}.", param.default)]);
        quote! { #doc #space #note pub #field: f64, }
    });
    // Without parameters there is nothing to write but the name.
    let body = if params.is_empty() { quote!(;) } else { quote!({ #(#declared)* }) };
    let constructor = (!params.is_empty()).then(|| {
        quote! {
            /// With these parameters; whether they are valid is checked when it is used.
            pub fn new(#(#fields: f64),*) -> Self {
                Self { #(#fields),* }
            }
        }
    });
    let primitive = Function::new(surrogate, surrogate.primitive, &surrogate.names).rust();
    let gradient = Function::new(surrogate, surrogate.gradient, &surrogate.gradient_names).rust();
    let checks = checks(surrogate);
    let (count, rest) = (MAX_PARAMETERS, vec![quote!(0.0); MAX_PARAMETERS - params.len()]);
    let mut hidden = fields.clone();
    for binding in ["u", "values", "surrogate"] {
        if hidden.iter().all(|field| field != binding) {
            hidden.push(Ident::new(binding, Span::call_site()));
        }
    }
    quote! {
        #doc
        #equations
        #quiet
        #(#attrs)*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #vis struct #name #body

        const _: () = {
            // A constant of the user's that is called like a parameter or a binding of ours would be taken for a
            // pattern. Functions of that name hide it.
            #(#[allow(dead_code, non_snake_case)] fn #hidden() {})*

            /// Here, nothing that the user has declared is in scope.
            #[allow(clippy::all, clippy::pedantic, unused_variables, unused_parens, unused_imports)]
            mod functions {
                use #krate::math::*;

                pub fn check(values: &[f64; #count]) -> #g::Option<(usize, &'static str)> {
                    #checks
                    #g::Option::None
                }

                #[inline(always)]
                pub fn gradient<R: #g::Real>(u: R, values: [R; #count]) -> R {
                    #gradient
                }

                #[inline(always)]
                pub fn primitive<R: #g::Real>(u: R, values: [R; #count]) -> R {
                    #primitive
                }
            }

            #[automatically_derived]
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    Self { #(#fields: #defaults),* }
                }
            }

            #[allow(dead_code)]
            impl #name {
                #constructor

                /// Checks the parameters against their ranges.
                ///
                /// # Errors
                /// The first that is not finite or out of range.
                pub fn validate(&self) -> #g::Result<(), #g::Error> {
                    #g::Surrogate::from(*self).validate()
                }
            }

            #[automatically_derived]
            unsafe impl #g::Shape for #name {
                const NAME: &'static str = #text;
                const PARAMETERS: &'static [#g::ParameterDef] = &[
                    #(#g::ParameterDef { name: #texts, default: #defaults, range: #ranges }),*
                ];
                const PRIMITIVE: &'static str = #primitive_text;
                const GRADIENT: &'static str = #gradient_text;
                const CUDA: &'static str = #cuda;
                const CUDA_MATH: &'static str = #cuda_math;

                fn check(values: &[f64; #count]) -> #g::Option<(usize, &'static str)> {
                    functions::check(values)
                }

                #[inline(always)]
                fn gradient<R: #g::Real>(u: R, values: [R; #count]) -> R {
                    functions::gradient(u, values)
                }

                #[inline(always)]
                fn primitive<R: #g::Real>(u: R, values: [R; #count]) -> R {
                    functions::primitive(u, values)
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<#name> for #g::Surrogate {
                fn from(surrogate: #name) -> Self {
                    static DEFINITION: #g::Definition = #g::Definition::of::<#name>();
                    #g::surrogate(&DEFINITION, [#(surrogate.#fields,)* #(#rest),*])
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<#name> for #g::Gradient {
                fn from(surrogate: #name) -> Self {
                    #g::Surrogate::from(surrogate).into()
                }
            }
        };
    }
}

/// An equation with each of its parts on a line of its own.
fn lines((value, parts): (String, Vec<String>)) -> String {
    if parts.is_empty() { value } else { format!("{value}\n    where {}", parts.join("\n          ")) }
}

/// Returns the place of the first parameter that does not meet one of its conditions, and that condition.
fn checks(surrogate: &Surrogate) -> TokenStream {
    let params = surrogate.params.iter().enumerate();
    let names = params.map(|(place, param)| (param.leaf, format!("values[{place}]"))).collect();
    let conditions = surrogate.params.iter().enumerate();
    let conditions: Vec<_> =
        conditions.flat_map(|(place, param)| param.conditions.iter().map(move |c| (place, c))).collect();
    let exprs: Vec<Id> = conditions.iter().map(|(_, condition)| condition.expr).collect();
    let Block { lets, values } =
        Block::new(&mut surrogate.graph.clone(), &exprs, names, Namespace::default());
    let checks = conditions.iter().zip(values).map(|((place, condition), holds)| {
        let text = &condition.text;
        quote! { if !(#holds) { return ::core::option::Option::Some((#place, #text)); } }
    });
    quote! { #lets #(#checks)* }
}
