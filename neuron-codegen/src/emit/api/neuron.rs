//! `impl DeclaredNeuron` and `impl Neuron`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{Parameters, ident};
use crate::description::module_name;
use crate::emit::block::Block;
use crate::gradient::Derived;
use crate::identifiers;
use crate::ir::Id;
use crate::model::ParamKind;

/// `impl DeclaredNeuron for Lif` and `impl Neuron for Lif`.
pub fn implementation(derived: &Derived, krate: &TokenStream) -> TokenStream {
    let model = &derived.model;
    let name = &model.name;
    let module = ident(&module_name(model));
    let Parameters { own_reals, own_flags, reals, flags, real_names, flag_names } = Parameters::new(derived);

    // The user's neuron may be called `Call` or `Value`, so names are only brought into scope inside bodies.
    let g = quote!(#krate::generated);
    let result = quote!(#g::Result<(), #g::Error>);
    let new_params = quote! {
        #module::Params {
            #(#reals: <E::Real as #g::Real>::from_f64(self.#own_reals),)*
            #(#flags: self.#own_flags,)*
        }
    };
    let double_params = quote! {
        #module::Params { #(#reals: self.#own_reals,)* #(#flags: self.#own_flags,)* }
    };
    let rounded_params = quote! {
        #module::Params { #(#reals: round(self.#own_reals),)* #(#flags: self.#own_flags,)* }
    };
    let mut arrays = 0usize;
    let each = model.params.iter().zip(reals.iter().zip(&own_reals)).map(|(param, (field, own))| {
        if param.kind == ParamKind::Scalar {
            return (quote!(#field: self.#own), quote!(#field: round(self.#own)));
        }
        arrays += 1;
        let index = arrays - 1;
        let value = quote!(#field: values[#index]);
        (value.clone(), value)
    });
    let (each, each_rounded): (Vec<_>, Vec<_>) = each.unzip();
    let params_at = quote! { #module::Params { #(#each,)* #(#flags: self.#own_flags,)* } };
    let rounded_at = quote! { #module::Params { #(#each_rounded,)* #(#flags: self.#own_flags,)* } };
    quote! {
        #[automatically_derived]
        #[allow(unused_variables, unused_imports, unused_parens, clippy::all)]
        impl #g::DeclaredNeuron for #name {
            const SPEC: &'static #g::Spec = &#module::SPEC;
        }

        #[automatically_derived]
        #[allow(unused_variables, unused_imports, unused_parens, clippy::all)]
        impl #g::Neuron for #name {
            fn spec(&self) -> &'static #g::Spec {
                &#module::SPEC
            }

            fn validate_rounded(&self, round: fn(f64) -> f64) -> #result {
                #g::check_reset(&#module::SPEC, self.reset)?;
                #module::check(&#rounded_params)
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
                    #(#real_names => Some(Value::Real(self.#own_reals)),)*
                    #(#flag_names => Some(Value::Flag(self.#own_flags)),)*
                    _ => None,
                }
            }

            fn set(&mut self, name: &str, value: #g::Value) -> #result {
                use #g::*;
                match (name, value) {
                    #((#real_names, Value::Real(value)) => self.#own_reals = value,)*
                    #((#flag_names, Value::Flag(value)) => self.#own_flags = value,)*
                    _ => return Err(cannot_set(&#module::SPEC, name, value)),
                }
                Ok(())
            }

            fn validate_rounded_at(&self, values: &[f64], round: fn(f64) -> f64) -> #result {
                #module::check(&#rounded_at)
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
pub fn functions(derived: &mut Derived) -> TokenStream {
    let Parameters { reals, flags, .. } = Parameters::new(derived);
    let fields: Vec<&Ident> = reals.iter().chain(&flags).collect();
    let texts: Vec<String> =
        derived.model.params.iter().map(|param| identifiers::text(&param.name)).collect();
    let conditions: Vec<Id> =
        derived.model.params.iter().flat_map(|param| &param.conditions).map(|c| c.expr).collect();
    let conditions = block(derived, &conditions);
    let mut holds = conditions.values.iter();
    let mut checks = TokenStream::new();
    for (param, (field, name)) in derived.model.params.iter().zip(reals.iter().zip(&texts)) {
        checks.extend(quote! { check_finite(&SPEC, #name, #field)?; });
        for condition in &param.conditions {
            let (holds, text) = (holds.next().expect("one a condition"), &condition.text);
            checks.extend(quote! { check_range(&SPEC, #name, #field, #holds, #text)?; });
        }
    }
    let lets = &conditions.lets;
    let initial: Vec<Id> = derived.model.states.iter().map(|state| state.init).collect();
    let initial = block(derived, &initial).list();
    let slopes: Vec<Id> = derived.initial.iter().flatten().copied().collect();
    let slopes = block(derived, &slopes).list();
    quote! {
        /// Checks every parameter against its range.
        #[allow(unused_variables)]
        pub fn check(&Params { #(#fields,)* }: &Params<f64>) -> Result<(), Error> {
            #lets
            #checks
            Ok(())
        }

        /// The states before the first step.
        #[allow(unused_variables)]
        pub fn initial_state(&Params { #(#fields,)* }: &Params<f64>) -> Vec<f64> {
            #initial
        }

        /// How each of them changes with each learnable parameter.
        #[allow(unused_variables)]
        pub fn initial_slopes(&Params { #(#fields,)* }: &Params<f64>) -> Vec<f64> {
            #slopes
        }
    }
}

/// Expressions over parameters and flags.
fn block(derived: &mut Derived, exprs: &[Id]) -> Block {
    let Derived { model, interface, .. } = derived;
    let params = model.params.iter().enumerate().map(|(i, param)| (param.leaf, interface.param(i)));
    let flags = model.flags.iter().enumerate().map(|(i, flag)| (flag.leaf, interface.flag(i)));
    let names = params.chain(flags).map(|(leaf, name)| (leaf, name.to_owned())).collect();
    Block::new(&mut model.graph, exprs, names, interface.namespace())
}
