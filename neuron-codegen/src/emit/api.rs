//! What a declaration becomes in the user's crate: the parameter struct, its methods, the module with
//! buffers and kernels.

mod buffers;
mod cuda;
mod neuron;
mod spec;

use std::fmt;
use std::path::Path;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::docs::docs;
use crate::description::module_name;
use crate::gradient::Derived;
use crate::identifiers;
use crate::kernel::{Program, programs};
use crate::model::{Model, Output, ParamKind, Reset};

/// The expansion of one declaration. `krate` is the path of the runtime crate; `out_dir` is where a build
/// script may have put compiled kernels; `declaration` is the text of it all.
pub fn expand(model: Model, declaration: &str, krate: &TokenStream, out_dir: Option<&Path>) -> TokenStream {
    let mut derived = Derived::new(model);
    let programs = programs(&mut derived);
    let structure = structure(&derived.model, krate);
    let methods = buffers::methods(&derived, krate);
    let neuron = neuron::implementation(&derived, krate);
    let functions = neuron::functions(&mut derived);
    let module = module(&derived, &programs, functions, declaration, krate, out_dir);
    // A constant of the user's that is called like a binding of ours would be taken for a pattern. Functions of that
    // name hide it.
    let bindings =
        ["buffers", "gradient", "name", "value", "values", "template", "reset", "params", "call"].map(ident);
    quote! {
        #structure
        const _: () = {
            #(#[allow(dead_code, non_snake_case)] fn #bindings() {})*
            #methods
            #neuron
        };
        #module
    }
}

/// An identifier of our own making.
fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// The struct of parameters, and its defaults.
fn structure(model: &Model, krate: &TokenStream) -> TokenStream {
    let Model { vis, name, attrs, doc, .. } = model;
    let doc = docs(doc);
    let mut fields = TokenStream::new();
    let mut defaults = TokenStream::new();
    for param in &model.params {
        let (field, default) = (identifiers::item(&param.name), param.default);
        let doc = docs(&param.doc);
        let range = match param.conditions.as_slice() {
            [] => "any finite number".to_owned(),
            conditions => conditions.iter().map(|c| format!("`{}`", c.text)).collect::<Vec<_>>().join(", "),
        };
        let fallback = match (param.doc.is_empty(), identifiers::text(&param.name).as_str()) {
            (true, "v_threshold") if model.threshold() == Some(param.leaf) => {
                let sign =
                    if matches!(model.output, Output::Spike { strict: true, .. }) { ">" } else { ">=" };
                docs([&format!("Threshold: the neuron fires where `h {sign} v_threshold`."), ""])
            }
            (true, "v_threshold") => docs(["Threshold.", ""]),
            (true, "v_reset") if model.states[0].init == param.leaf => {
                docs(["Reset potential, and the membrane potential before the first step.", ""])
            }
            (true, "v_reset") => docs(["Reset potential.", ""]),
            (true, _) => TokenStream::new(),
            (false, _) => docs([""]),
        };
        let kind = match param.kind {
            ParamKind::Scalar => "",
            ParamKind::Array => " May differ between neurons: this is the value where no array is given.",
            ParamKind::Learnable => " Learnable: this is the initial value, which arrays take the place of.",
        };
        let note = docs([format!("Default: {default}. Valid: {range}.{kind}")]);
        fields.extend(quote! { #doc #fallback #note pub #field: f64, });
        defaults.extend(quote! { #field: #default, });
    }
    for flag in &model.flags {
        let (field, default) = (identifiers::item(&flag.name), flag.default);
        let doc = docs(&flag.doc);
        let space = if flag.doc.is_empty() { TokenStream::new() } else { docs([""]) };
        let note = docs([format!("Default: {default}.")]);
        fields.extend(quote! { #doc #space #note pub #field: bool, });
        defaults.extend(quote! { #field: #default, });
    }
    let words: Vec<&str> = model.resets.iter().map(|reset| reset.word()).collect();
    let note = docs([format!("How the membrane is reset: {} reset.", words.join(" or "))]);
    let reset = variant_of(model.resets[0]);
    // The checker has said what it thinks of the name.
    let quiet = identifiers::text(name).starts_with(char::is_lowercase);
    let quiet = quiet.then(|| quote!(#[allow(non_camel_case_types)]));
    quote! {
        #doc
        #quiet
        #(#attrs)*
        #[derive(Clone, Debug, PartialEq)]
        #vis struct #name {
            #fields
            #note
            pub reset: #krate::Reset,
        }

        #[automatically_derived]
        impl ::core::default::Default for #name {
            fn default() -> Self {
                Self { #defaults reset: #krate::Reset::#reset }
            }
        }
    }
}

/// How a value of the vocabulary that the runtime shares is written, without the name of its type: as it is debugged.
fn variant_of(value: impl fmt::Debug) -> TokenStream {
    format!("{value:?}").parse().expect("the debugged form of an enumeration is Rust")
}

/// The module of the neuron: buffers, kernels, and how the runtime finds them.
fn module(
    derived: &Derived,
    programs: &[Program],
    functions: TokenStream,
    declaration: &str,
    krate: &TokenStream,
    out_dir: Option<&Path>,
) -> TokenStream {
    let model = &derived.model;
    let vis = &model.vis;
    let module = ident(&module_name(model));
    let about = docs([format!("Buffers and kernels of [`{0}`](super::{0}).", model.name)]);
    let buffers = buffers::structs(derived);
    let params = params(derived);
    let kernels: String =
        programs.iter().map(|p| super::rust::kernel(derived, p)).collect::<Vec<_>>().join("\n");
    let kernels: TokenStream = kernels.parse().expect("generated kernels are valid Rust");
    let launch = launch(derived, programs);
    let spec = spec::spec(derived, declaration, &cuda::cuda(derived, programs, out_dir));
    quote! {
        #about
        #[allow(clippy::all, clippy::pedantic, non_snake_case, unused_parens, dead_code)]
        #vis mod #module {
            #[allow(unused_imports)]
            use #krate::generated::*;

            #buffers
            #params
            #functions
            #launch
            #spec

            /// The kernels, over a tile of neurons each. They are generic over the data's format; the
            /// runtime runs them on all tiles, in parallel and with the vector instructions at hand.
            pub mod kernels {
                #[allow(unused_imports)]
                use super::*;
                #kernels
            }
        }
    }
}

/// Parameter values in the format of the arithmetic.
fn params(derived: &Derived) -> TokenStream {
    let Parameters { reals, flags, .. } = Parameters::new(derived);
    quote! {
        /// Parameter values in the format of the arithmetic.
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs)]
        pub struct Params<R> {
            #(pub #reals: R,)*
            #(pub #flags: bool,)*
        }
    }
}

/// The fields of parameters and flags: those of the user's struct, and those of the one that kernels take.
struct Parameters {
    /// Fields of real-valued parameters in the user's struct, as the user wrote them.
    own_reals: Vec<Ident>,
    own_flags: Vec<Ident>,
    reals: Vec<Ident>,
    flags: Vec<Ident>,
    /// What the parameters are called, as text.
    real_names: Vec<String>,
    flag_names: Vec<String>,
}

impl Parameters {
    fn new(derived: &Derived) -> Self {
        let Model { params, flags, .. } = &derived.model;
        let names = &derived.interface;
        Self {
            own_reals: params.iter().map(|param| identifiers::unspanned(&param.name)).collect(),
            own_flags: flags.iter().map(|flag| identifiers::unspanned(&flag.name)).collect(),
            reals: (0..params.len()).map(|index| ident(names.param(index))).collect(),
            flags: (0..flags.len()).map(|index| ident(names.flag(index))).collect(),
            real_names: params.iter().map(|param| identifiers::text(&param.name)).collect(),
            flag_names: flags.iter().map(|flag| identifiers::text(&flag.name)).collect(),
        }
    }
}

/// The kernels as the runtime runs them: by template and reset.
fn launch(derived: &Derived, programs: &[Program]) -> TokenStream {
    let mut arms = TokenStream::new();
    let mut relaxed = TokenStream::new();
    for program in programs {
        let template = variant_of(program.variant.template);
        let call = call(program);
        let reset = program.variant.reset.map(variant_of);
        match (program.variant.relaxed, reset) {
            (true, Some(reset)) => relaxed.extend(quote! { Reset::#reset => #call, }),
            (_, Some(reset)) => arms.extend(quote! { (Template::#template, Reset::#reset) => #call, }),
            (_, None) => arms.extend(quote! { (Template::#template, _) => #call, }),
        }
    }
    // A reset that was not declared is refused by `validate`, before anything runs.
    let (rest, rest_relaxed) = if derived.model.resets.len() < Reset::ALL.len() {
        (quote! { (_, _) => {} }, quote! { _ => {} })
    } else {
        (TokenStream::new(), TokenStream::new())
    };
    quote! {
        /// One template under one reset, with parameter values.
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs)]
        pub struct Launch<R> {
            pub template: Template,
            pub reset: Reset,
            pub params: Params<R>,
        }

        impl<E: Element> Kernel<E> for Launch<E::Real> {
            #[inline(always)]
            fn tile(&self, tile: &Tile<'_, E>) {
                let params = &self.params;
                match (self.template, self.reset) { #arms #rest }
            }
        }

        /// The relaxed model under one reset, with parameter values.
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs)]
        pub struct Relaxed<R> {
            pub reset: Reset,
            pub params: Params<R>,
        }

        impl<E: Element> Kernel<E> for Relaxed<E::Real> {
            #[inline(always)]
            fn tile(&self, tile: &Tile<'_, E>) {
                let params = &self.params;
                match self.reset { #relaxed #rest_relaxed }
            }
        }
    }
}

/// The call of one kernel on a tile.
fn call(program: &Program) -> TokenStream {
    use crate::variant::{Class, Extent};
    let name = ident(&program.variant.name());
    let mut args = vec![quote!(params)];
    if super::rust::applies(program) {
        args.push(quote!(tile.gradient()));
    }
    if program.variant.template.is_multi_step() {
        args.push(quote!(tile.steps()));
    }
    for (i, buffer) in program.signature.inputs.iter().enumerate() {
        args.push(match (buffer.extent, buffer.class) {
            (Extent::Parameter, _) => quote!(tile.values(#i)),
            (_, Class::Signal) => quote!(tile.signal(#i)),
            (_, Class::State) => quote!(tile.state(#i)),
            (_, Class::Bits) => unreachable!("no template reads bits"),
        });
    }
    for (i, buffer) in program.signature.outputs.iter().enumerate() {
        args.push(match buffer.class {
            Class::Signal => quote!(tile.signal_mut(#i)),
            Class::State => quote!(tile.state_mut(#i)),
            Class::Bits => quote!(tile.bits_mut(#i)),
        });
    }
    quote! { kernels::#name::<E>(#(#args),*) }
}
