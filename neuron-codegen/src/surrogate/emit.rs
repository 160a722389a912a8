//! A surrogate as Rust and as CUDA C++.

use std::collections::{BTreeSet, HashMap, HashSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::{MAX_PARAMETERS, Surrogate};
use crate::emit::block::Block;
use crate::emit::cuda::{functions, math};
use crate::emit::docs::docs;
use crate::emit::text::Text;
use crate::identifiers::{self, Namespace};
use crate::ir::{Cmp, Graph, Id, Node, Sort};
use crate::kernel::cost::{Uses, cost, deserving};
use crate::kernel::lower::Lowering;
use crate::model::Param;
use crate::print::{Dialect, Printer};

/// A function of `u` and the parameters, ready to be printed: the expressions to compute first, each with a
/// name, and the value.
struct Function {
    graph: Graph,
    /// Parameters that it uses, by place and name.
    params: Vec<(usize, String)>,
    lets: Vec<Id>,
    names: HashMap<Id, String>,
    value: Id,
}

impl Function {
    /// `value`, in which the user has named some parts.
    fn new(surrogate: &Surrogate, value: Id, given: &HashMap<Id, String>) -> Self {
        let mut graph = surrogate.graph.clone();
        let mut lowering = Lowering::default();
        let mut lower = |graph: &mut Graph, id| lowering.by(graph, id, |_, _| true);
        let value = lower(&mut graph, value);
        // Numbers propagate NaN; a choice may lose it.
        let value = if keeps_nan(&graph, value, surrogate.u) {
            value
        } else {
            let is_nan = graph.add(Node::Compare(Cmp::Ne, surrogate.u, surrogate.u));
            graph.add(Node::Select(is_nan, surrogate.u, value))
        };
        let reached = graph.reach([value]);

        let mut namespace = Namespace::default();
        ["u", "values"].into_iter().for_each(|name| drop(namespace.claim(name)));
        let mut names = HashMap::from([(surrogate.u, "u".to_owned())]);
        let params = surrogate.params.iter().enumerate();
        let params: Vec<(usize, String)> = params
            .filter(|(_, param)| reached.contains(&param.leaf))
            .map(|(place, param)| {
                let name = namespace.claim(&identifiers::text(&param.name));
                names.insert(param.leaf, name.clone());
                (place, name)
            })
            .collect();
        let mut given: Vec<(Id, &String)> = given.iter().map(|(id, name)| (*id, name)).collect();
        given.sort();
        for (id, name) in given {
            let id = lower(&mut graph, id);
            if !graph.is_atom(id) && !names.contains_key(&id) {
                names.insert(id, namespace.claim(name));
            }
        }
        name_shared(&graph, &reached, value, &mut names, &mut namespace);
        let is_let = |id: &Id| *id != value && !graph.is_atom(*id) && names.contains_key(id);
        let lets = reached.iter().copied().filter(is_let).collect();
        Self { graph, params, lets, names, value }
    }

    fn printer(&self, dialect: Dialect) -> Printer<'_> {
        Printer { graph: &self.graph, dialect, names: &self.names }
    }

    fn rust(&self) -> TokenStream {
        let printer = self.printer(Dialect::Rust);
        let mut text = String::from("let num = R::from_f64;\n");
        for (place, name) in &self.params {
            text += &format!("let {name} = values[{place}];\n");
        }
        for id in &self.lets {
            text += &format!("let {} = {};\n", self.names[id], printer.definition(*id));
        }
        text += &printer.definition(self.value);
        text.parse().expect("generated functions are valid Rust")
    }

    fn cuda(&self, name: &str) -> String {
        let printer = self.printer(Dialect::Cuda);
        let mut out = Text::default();
        let values = format!("const acc_t (&values)[{MAX_PARAMETERS}]");
        out.open(format!("__device__ __forceinline__ acc_t {name}(acc_t u, {values}) {{"));
        for (place, name) in &self.params {
            out.line(format!("const acc_t {name} = values[{place}];"));
        }
        for id in &self.lets {
            let sort = if self.graph.sort(*id) == Sort::Real { "acc_t" } else { "bool" };
            out.line(format!("const {sort} {} = {};", self.names[id], printer.definition(*id)));
        }
        out.line(format!("return {};", printer.definition(self.value)));
        out.close();
        out.text
    }
}

/// Gives names to what is computed once and used several times. `reached` is all that `value` is computed from.
fn name_shared(
    graph: &Graph,
    reached: &BTreeSet<Id>,
    value: Id,
    names: &mut HashMap<Id, String>,
    namespace: &mut Namespace,
) {
    let uses = Uses::new(graph, reached.iter().copied(), []);
    let is_named = |id: Id| id == value || names.contains_key(&id);
    let chosen = deserving(graph, reached, &uses, |g, id| 2 * cost(g, id), is_named);
    let numbers = chosen.into_iter().filter(|&id| graph.sort(id) == Sort::Real);
    names.extend(numbers.collect::<Vec<_>>().into_iter().map(|id| (id, namespace.number("term"))));
}

/// Whether `id` is NaN wherever `u` is.
fn keeps_nan(g: &Graph, id: Id, u: Id) -> bool {
    let mut keeping: HashSet<Id> = HashSet::new();
    // Operands come first.
    for part in g.reach([id]) {
        let keeps = |id| keeping.contains(&id);
        let result = match g.node(part) {
            Node::Num(_) => false,
            Node::Leaf(_) => part == u,
            Node::Neg(a) | Node::Powi(a, _) | Node::Call(_, a) => keeps(a),
            Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b) | Node::Div(a, b) => keeps(a) || keeps(b),
            // The second is what they are if the comparison fails.
            Node::Min(_, b) | Node::Max(_, b) => keeps(b),
            Node::Select(cond, a, b) => match g.node(cond) {
                Node::Compare(op, c, d) if keeps(c) || keeps(d) => keeps(if op == Cmp::Ne { a } else { b }),
                _ => keeps(a) && keeps(b),
            },
            Node::Compare(..) | Node::Not(_) | Node::And(..) | Node::Or(..) => false,
            Node::StraightThrough(..) | Node::Detach(_) | Node::Primitive(_) => {
                unreachable!("surrogates have no step functions")
            }
        };
        if result {
            keeping.insert(part);
        }
    }
    keeping.contains(&id)
}

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

/// The gradient as a function of CUDA C++ called `name`.
pub fn cuda_function(surrogate: &Surrogate, name: &str) -> String {
    Function::new(surrogate, surrogate.gradient, &surrogate.gradient_names).cuda(name)
}

/// The functions that the gradient calls, in CUDA C++. A neuron's source has those only that its own kernels call.
fn cuda_math(surrogate: &Surrogate) -> String {
    let function = Function::new(surrogate, surrogate.gradient, &surrogate.gradient_names);
    math(functions(&function.graph, [function.value]))
}

/// What a declaration becomes in the user's crate.
pub fn expand(surrogate: &Surrogate, krate: &TokenStream) -> TokenStream {
    let Surrogate { name, vis, attrs, doc, params, .. } = surrogate;
    let g = quote!(#krate::surrogate::generated);
    let doc = docs(doc);
    let primitive = lines(surrogate.equation(surrogate.primitive, &surrogate.names));
    let gradient = lines(surrogate.equation(surrogate.gradient, &surrogate.gradient_names));
    let equations =
        docs(format!("\n```text\nprimitive = {primitive}\ngradient  = {gradient}\n```").split('\n'));
    let quiet = identifiers::text(name).starts_with(char::is_lowercase);
    let quiet = quiet.then(|| quote!(#[allow(non_camel_case_types)]));
    let fields: Vec<Ident> = params.iter().map(|param| identifiers::unspanned(&param.name)).collect();
    let texts: Vec<String> = params.iter().map(|param| identifiers::text(&param.name)).collect();
    let defaults: Vec<f64> = params.iter().map(|param| param.default).collect();
    let ranges: Vec<String> = params.iter().map(range).collect();
    let declared = params.iter().zip(&ranges).map(|(param, range)| {
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
    let (primitive_text, gradient_text) = (surrogate.primitive_text(), surrogate.gradient_text());
    let (cuda, cuda_math) = (cuda_function(surrogate, "NAME"), cuda_math(surrogate));
    let checks = checks(surrogate);
    let (count, rest) = (MAX_PARAMETERS, vec![quote!(0.0); MAX_PARAMETERS - params.len()]);
    let text = identifiers::text(name);
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

/// The valid values of a parameter, as written.
fn range(param: &Param) -> String {
    param.conditions.iter().map(|condition| condition.text.as_str()).collect::<Vec<_>>().join(", ")
}
