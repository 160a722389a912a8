//! Expressions over parameters, as Rust over `f64`: ranges, initial values.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;

use crate::identifiers::Namespace;
use crate::ir::{Graph, Id};
use crate::kernel::cost::{Uses, cost, deserving};
use crate::kernel::lower::Lowering;
use crate::print::{Dialect, Printer};

/// Expressions, and what several of them need first.
pub struct Block {
    /// Statements.
    pub lets: TokenStream,
    /// The values, in order.
    pub values: Vec<TokenStream>,
}

impl Block {
    /// `exprs`, as they are written, with divisions, but for powers. `names` are those of their leaves.
    pub fn new(
        graph: &mut Graph,
        exprs: &[Id],
        mut names: HashMap<Id, String>,
        mut namespace: Namespace,
    ) -> Self {
        let mut lowering = Lowering::default();
        let exprs: Vec<Id> = exprs.iter().map(|&expr| lowering.by(graph, expr, |_, _| false)).collect();
        let ids = graph.reach(exprs.iter().copied());
        let uses = Uses::new(graph, ids.iter().copied(), exprs.iter().copied());
        let mut lets = String::new();
        for part in deserving(graph, &ids, &uses, cost, |_| false) {
            let value = Printer { graph, dialect: Dialect::RustF64, names: &names }.definition(part);
            let name = namespace.number("term");
            lets += &format!("let {name} = {value};\n");
            names.insert(part, name);
        }
        let printer = Printer { graph, dialect: Dialect::RustF64, names: &names };
        let parse = |text: String| text.parse().expect("a printed expression is valid Rust");
        Self { lets: parse(lets), values: exprs.into_iter().map(|expr| parse(printer.expr(expr))).collect() }
    }

    /// A vector of all values.
    pub fn list(self) -> TokenStream {
        let Self { lets, values } = self;
        quote! { #lets ::std::vec![#(#values),*] }
    }
}
