//! `impl Neuron`.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{ident, module_name};
use crate::gradient::Derived;
use crate::ir::Id;
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

    let mut checks = TokenStream::new();
    for (param, field) in model.params.iter().zip(&reals) {
        let name = param.name.to_string();
        checks.extend(quote! { check_finite(Self::SPEC, #name, #field)?; });
        for condition in &param.conditions {
            let (holds, text) = (expression(derived, condition.expr), &condition.text);
            checks.extend(quote! { check_range(Self::SPEC, #name, #field, #holds, #text)?; });
        }
    }
    let initial = model.states.iter().map(|state| expression(derived, state.init));
    let new_params = quote! {
        #module::Params {
            #(#reals: <E::Real as Real>::from_f64(self.#reals),)*
            #(#flags: self.#flags,)*
        }
    };
    quote! {
        const _: () = {
            #[allow(unused_imports)]
            use #krate::generated::*;

            #[automatically_derived]
            #[allow(unused_variables, unused_parens, clippy::all)]
            impl Neuron for #name {
                const SPEC: &'static Spec = &#module::SPEC;

                fn validate(&self) -> Result<(), Error> {
                    let &Self { #(#reals,)* #(#flags,)* reset } = self;
                    check_reset(Self::SPEC, reset)?;
                    #checks
                    Ok(())
                }

                fn reset(&self) -> Reset {
                    self.reset
                }

                fn set_reset(&mut self, reset: Reset) {
                    self.reset = reset;
                }

                fn get(&self, name: &str) -> Option<Value> {
                    match name {
                        #(#real_names => Some(Value::Real(self.#reals)),)*
                        #(#flag_names => Some(Value::Flag(self.#flags)),)*
                        _ => None,
                    }
                }

                fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
                    match (name, value) {
                        #((#real_names, Value::Real(value)) => self.#reals = value,)*
                        #((#flag_names, Value::Flag(value)) => self.#flags = value,)*
                        _ => return Err(cannot_set(Self::SPEC, name, value)),
                    }
                    Ok(())
                }

                fn initial_state(&self) -> Vec<f64> {
                    let &Self { #(#reals,)* #(#flags,)* .. } = self;
                    vec![#(#initial),*]
                }

                fn run<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
                    self.validate()?;
                    let (template, reset, params) = (call.template, self.reset, #new_params);
                    call.execute(Self::SPEC, &#module::Launch { template, reset, params })
                }

                fn run_relaxed<E: Element>(&self, call: Call<'_, '_, E>) -> Result<(), Error> {
                    self.validate()?;
                    let (reset, params) = (self.reset, #new_params);
                    call.execute(Self::SPEC, &#module::Relaxed { reset, params })
                }
            }
        };
    }
}

/// An expression over parameters, in float64.
fn expression(derived: &Derived, expr: Id) -> TokenStream {
    let names = HashMap::new();
    let printer = Printer { graph: &derived.model.graph, dialect: Dialect::RustF64, names: &names };
    printer.expr(expr).parse().expect("a printed expression is valid Rust")
}
