//! A surrogate's gradient or primitive as kernels compute it, in Rust and in CUDA C++.

use std::collections::{BTreeSet, HashMap, HashSet};

use proc_macro2::TokenStream;

use super::{MAX_PARAMETERS, Surrogate};
use crate::emit::text::Text;
use crate::identifiers::{self, Namespace};
use crate::ir::{Cmp, Graph, Id, Node, Sort};
use crate::kernel::cost::{Uses, cost, deserving};
use crate::kernel::lower::Lowering;
use crate::print::{Dialect, Printer};

/// A function of `u` and the parameters, ready to be printed: the expressions to compute first, each with a
/// name, and the value.
pub struct Function {
    pub graph: Graph,
    /// Parameters that it uses, by place and name.
    params: Vec<(usize, String)>,
    lets: Vec<Id>,
    names: HashMap<Id, String>,
    pub value: Id,
}

impl Function {
    /// `value`, in which the user has named some parts.
    pub fn new(surrogate: &Surrogate, value: Id, given: &HashMap<Id, String>) -> Self {
        let mut graph = surrogate.graph.clone();
        let mut lowering = Lowering::default();
        let value = computed(&mut graph, &mut lowering, value, surrogate.u);
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
            let id = lower(&mut graph, &mut lowering, id);
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

    /// The body of a function.
    pub fn rust(&self) -> TokenStream {
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

    /// A function called `name`.
    pub fn cuda(&self, name: &str) -> String {
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

/// What kernels compute for `value`, the gradient or the primitive of a surrogate.
pub fn computed(graph: &mut Graph, lowering: &mut Lowering, value: Id, u: Id) -> Id {
    let value = lower(graph, lowering, value);
    // Numbers propagate NaN; a choice may lose it.
    if keeps_nan(graph, value, u) {
        return value;
    }
    let is_nan = graph.add(Node::Compare(Cmp::Ne, u, u));
    graph.add(Node::Select(is_nan, u, value))
}

/// Every quotient becomes a product with a reciprocal, whatever the divisor: a division on a GPU branches.
fn lower(graph: &mut Graph, lowering: &mut Lowering, id: Id) -> Id {
    lowering.by(graph, id, |_, _| true)
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
