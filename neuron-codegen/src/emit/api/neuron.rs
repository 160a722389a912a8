//! `impl Neuron`.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{ident, module_name};
use crate::gradient::Derived;
use crate::ir::Id;
use crate::model::ParamKind;
use crate::print::{Dialect, Printer};

/// `impl Neuron for Lif`.
pub fn implementation(derived: &Derived, krate: &TokenStream) -> TokenStream {
    let model = &derived.model;
    let name = &model.name;
    let module = ident(&module_name(model));
    let reals: Vec<Ident> = model.params.iter().map(|p| ident(&p.name.to_string())).collect();
    let flags: Vec<Ident> = model.flags.iter().map(|f| ident(&f.name.to_string())).collect();
    let (real_names, flag_names) = (reals.iter().map(Ident::to_string), flags.iter().map(Ident::to_string));
    let (real_names, flag_names): (Vec<_>, Vec<_>) = (real_names.collect(), flag_names.collect());

    // The user's neuron may be called `Call` or `Value`, so names are only brought into scope inside bodies.
    let g = quote!(#krate::generated);
    let result = quote!(#g::Result<(), #g::Error>);
    let new_params = quote! {
        #module::Params {
            #(#reals: <E::Real as #g::Real>::from_f64(self.#reals),)*
            #(#flags: self.#flags,)*
        }
    };
    let double_params = quote! { #module::Params { #(#reals: self.#reals,)* #(#flags: self.#flags,)* } };
    let mut arrays = 0usize;
    let each = model.params.iter().zip(&reals).map(|(param, field)| {
        if param.kind == ParamKind::Scalar {
            return quote!(#field: self.#field);
        }
        arrays += 1;
        let index = arrays - 1;
        quote!(#field: values[#index])
    });
    let each: Vec<_> = each.collect();
    let params_at = quote! { #module::Params { #(#each,)* #(#flags: self.#flags,)* } };
    quote! {
        #[automatically_derived]
        #[allow(unused_variables, unused_imports, unused_parens, clippy::all)]
        impl #g::Neuron for #name {
            const SPEC: &'static #g::Spec = &#module::SPEC;

            fn validate(&self) -> #result {
                #g::check_reset(&#module::SPEC, self.reset)?;
                #module::check(&#double_params)
            }

            fn reset(&self) -> #g::Reset {
                self.reset
            }

            fn set_reset(&mut self, reset: #g::Reset) {
                self.reset = reset;
            }

            fn get(&self, name: &str) -> #g::Option<#g::Value> {
                use #g::*;
                match name {
                    #(#real_names => Some(Value::Real(self.#reals)),)*
                    #(#flag_names => Some(Value::Flag(self.#flags)),)*
                    _ => None,
                }
            }

            fn set(&mut self, name: &str, value: #g::Value) -> #result {
                use #g::*;
                match (name, value) {
                    #((#real_names, Value::Real(value)) => self.#reals = value,)*
                    #((#flag_names, Value::Flag(value)) => self.#flags = value,)*
                    _ => return Err(cannot_set(&#module::SPEC, name, value)),
                }
                Ok(())
            }

            fn validate_at(&self, values: &[f64]) -> #result {
                #module::check(&#params_at)
            }

            fn initial_state(&self) -> #g::Vec<f64> {
                #module::initial_state(&#double_params)
            }

            fn initial_state_at(&self, values: &[f64]) -> #g::Vec<f64> {
                #module::initial_state(&#params_at)
            }

            fn initial_slopes_at(&self, values: &[f64]) -> #g::Vec<f64> {
                #module::initial_slopes(&#params_at)
            }

            fn run<E: #g::Element>(&self, call: #g::Call<'_, '_, E>) -> #result {
                #g::Neuron::validate(self)?;
                let (template, reset, params) = (call.template, self.reset, #new_params);
                call.execute(self, &#module::Launch { template, reset, params })
            }

            fn run_relaxed<E: #g::Element>(&self, call: #g::Call<'_, '_, E>) -> #result {
                #g::Neuron::validate(self)?;
                let (reset, params) = (self.reset, #new_params);
                call.execute_relaxed(self, &#module::Relaxed { reset, params })
            }
        }
    }
}

/// What `impl Neuron` needs of the expressions over parameters, in the neuron's module: there, names of
/// parameters cannot be those of constants that the user has declared beside the neuron.
pub fn functions(derived: &Derived) -> TokenStream {
    let model = &derived.model;
    let names = || model.params.iter().map(|p| &p.name).chain(model.flags.iter().map(|f| &f.name));
    let fields: Vec<Ident> = names().map(|name| ident(&name.to_string())).collect();
    let mut checks = TokenStream::new();
    for param in &model.params {
        let (field, name) = (ident(&param.name.to_string()), param.name.to_string());
        checks.extend(quote! { check_finite(&SPEC, #name, #field)?; });
        for condition in &param.conditions {
            let (holds, text) = (expression(derived, condition.expr), &condition.text);
            checks.extend(quote! { check_range(&SPEC, #name, #field, #holds, #text)?; });
        }
    }
    let initial = model.states.iter().map(|state| expression(derived, state.init));
    let slopes = derived.initial.iter().flatten().map(|&slope| expression(derived, slope));
    quote! {
        /// Checks every parameter against its range.
        #[allow(unused_variables)]
        pub fn check(&Params { #(#fields,)* }: &Params<f64>) -> Result<(), Error> {
            #checks
            Ok(())
        }

        /// The states before the first step.
        #[allow(unused_variables)]
        pub fn initial_state(&Params { #(#fields,)* }: &Params<f64>) -> Vec<f64> {
            ::std::vec![#(#initial),*]
        }

        /// How each of them changes with each learnable parameter.
        #[allow(unused_variables)]
        pub fn initial_slopes(&Params { #(#fields,)* }: &Params<f64>) -> Vec<f64> {
            ::std::vec![#(#slopes),*]
        }
    }
}

/// An expression over parameters, in float64.
fn expression(derived: &Derived, expr: Id) -> TokenStream {
    let names = HashMap::new();
    let printer = Printer { graph: &derived.model.graph, dialect: Dialect::RustF64, names: &names };
    printer.expr(expr).parse().expect("a printed expression is valid Rust")
}
