//! Expressions as text, in the syntax of the DSL, of Rust kernels and of CUDA kernels.

use std::collections::HashMap;

use crate::ir::{Cmp, Graph, Id, Node, Quantity};

/// The language to print in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// As in a declaration: for documentation, equations and derivatives.
    Dsl,
    /// Rust over a generic number type; `num` makes one from a literal.
    Rust,
    /// Rust over `f64`.
    RustF64,
    /// CUDA C++ over a number type called `acc_t`.
    Cuda,
}

/// How tightly an operator binds; higher is tighter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Choice,
    Or,
    And,
    Compare,
    Sum,
    Product,
    Sign,
    Power,
    Atom,
}

/// Prints expressions of one graph.
#[derive(Clone, Copy, Debug)]
pub struct Printer<'a> {
    /// Where the expressions are.
    pub graph: &'a Graph,
    /// The language.
    pub dialect: Dialect,
    /// Expressions that have been given a name and are printed as that.
    pub names: &'a HashMap<Id, String>,
}

/// `expr` in the syntax of the DSL.
pub fn dsl(graph: &Graph, expr: Id) -> String {
    Printer { graph, dialect: Dialect::Dsl, names: &HashMap::new() }.expr(expr)
}

impl Printer<'_> {
    /// `id`, by its name if it has one.
    pub fn expr(&self, id: Id) -> String {
        self.print(id).0
    }

    /// `id` written out even if it has a name: the right-hand side of its definition.
    pub fn definition(&self, id: Id) -> String {
        self.print_node(id).0
    }

    /// `id` as an operand of something that binds as `least`, in parentheses if it binds less tightly.
    fn operand(&self, id: Id, least: Binding) -> String {
        let (text, binding) = self.print(id);
        if binding < least { format!("({text})") } else { text }
    }

    fn print(&self, id: Id) -> (String, Binding) {
        match self.names.get(&id) {
            Some(name) => (name.clone(), Binding::Atom),
            None => self.print_node(id),
        }
    }

    fn print_node(&self, id: Id) -> (String, Binding) {
        use Binding::{And, Atom, Choice, Compare, Or, Power, Product, Sign, Sum};
        // Operators of equal binding group to the left; `a + (b + c)` keeps its parentheses, since that is
        // the order in which the user wants it evaluated.
        let binary = |a, op, b, binding, right| {
            (format!("{} {op} {}", self.operand(a, binding), self.operand(b, right)), binding)
        };
        match self.graph.node(id) {
            Node::Num(bits) => self.number(f64::from_bits(bits)),
            Node::Leaf(_) => (self.graph.as_leaf(id).expect("a leaf").name.clone(), Atom),
            Node::Neg(a) => (format!("-{}", self.operand(a, Power)), Sign),
            Node::Add(a, b) => binary(a, "+", b, Sum, Product),
            Node::Sub(a, b) => binary(a, "-", b, Sum, Product),
            Node::Mul(a, b) => binary(a, "*", b, Product, Sign),
            Node::Div(a, b) => match self.graph.inverted(id) {
                Some(a) if self.in_kernel() => {
                    (format!("{}reciprocal({})", self.module(), self.expr(a)), Atom)
                }
                _ => binary(a, "/", b, Product, Sign),
            },
            Node::Powi(a, n) => match self.dialect {
                Dialect::Dsl => (format!("{}^{n}", self.operand(a, Atom)), Power),
                _ => unreachable!("code is printed of lowered expressions, which have products for powers"),
            },
            Node::Min(a, b) => (format!("{}min({}, {})", self.module(), self.expr(a), self.expr(b)), Atom),
            Node::Max(a, b) => (format!("{}max({}, {})", self.module(), self.expr(a), self.expr(b)), Atom),
            Node::Call(func, a) => (format!("{}{}({})", self.module(), func.name(), self.expr(a)), Atom),
            // What is computed is the value.
            Node::StraightThrough(a, _) | Node::Detach(a) if self.dialect != Dialect::Dsl => self.print(a),
            Node::StraightThrough(a, b) => match self.graph.as_heaviside(id) {
                Some(cond) => (format!("heaviside({})", self.expr(cond)), Atom),
                None => (format!("straight_through({}, {})", self.expr(a), self.expr(b)), Atom),
            },
            Node::Detach(a) => (format!("detach({})", self.expr(a)), Atom),
            Node::Primitive(a) => (format!("primitive({})", self.expr(a)), Atom),
            Node::Compare(op, a, b) => {
                let op = match op {
                    Cmp::Lt => "<",
                    Cmp::Le => "<=",
                    Cmp::Eq => "==",
                    Cmp::Ne => "!=",
                };
                // `v_threshold <= h` reads better as `h >= v_threshold`.
                let (a, op, b) = match (op, self.graph.quantity(b)) {
                    ("<", Some(Quantity::Charged)) => (b, ">", a),
                    ("<=", Some(Quantity::Charged)) => (b, ">=", a),
                    _ => (a, op, b),
                };
                (format!("{} {op} {}", self.operand(a, Sum), self.operand(b, Sum)), Compare)
            }
            Node::Not(a) => (format!("!{}", self.operand(a, Power)), Sign),
            Node::And(a, b) => binary(a, "&&", b, And, Compare),
            Node::Or(a, b) => binary(a, "||", b, Or, And),
            Node::Select(cond, a, b) => {
                let last = &b;
                let (cond, a, b) = match self.dialect {
                    Dialect::Cuda => (self.operand(cond, Or), self.operand(a, Or), self.operand(b, Choice)),
                    _ => (self.expr(cond), self.expr(a), self.expr(b)),
                };
                let text = match self.dialect {
                    Dialect::Cuda => format!("{cond} ? {a} : {b}"),
                    // `else { if .. }` reads better as `else if ..`.
                    _ if self.is_choice(*last) => format!("if {cond} {{ {a} }} else {b}"),
                    _ => format!("if {cond} {{ {a} }} else {{ {b} }}"),
                };
                (text, Choice)
            }
        }
    }

    /// Whether this is code that computes steps.
    fn in_kernel(&self) -> bool {
        matches!(self.dialect, Dialect::Rust | Dialect::Cuda)
    }

    /// Where functions are found.
    fn module(&self) -> &'static str {
        if self.dialect == Dialect::Cuda { "math::" } else { "" }
    }

    /// Whether `id` is printed as a choice, rather than by a name.
    fn is_choice(&self, id: Id) -> bool {
        matches!(self.graph.node(id), Node::Select(..)) && !self.names.contains_key(&id)
    }

    fn number(&self, value: f64) -> (String, Binding) {
        let magnitude = value.abs();
        let text = match self.dialect {
            Dialect::Dsl => format!("{magnitude}"),
            Dialect::Rust => format!("num({magnitude:?})"),
            Dialect::RustF64 => format!("{magnitude:?}"),
            Dialect::Cuda => format!("acc_t({magnitude:?})"),
        };
        if value.is_sign_negative() { (format!("-{text}"), Binding::Sign) } else { (text, Binding::Atom) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Func, Rate, Sort};

    #[test]
    fn parentheses_follow_evaluation_order() {
        let mut g = Graph::default();
        let [a, b, c] = [(0, "a"), (1, "b"), (2, "c")]
            .map(|(index, name)| g.leaf(Quantity::Input(index), name, Sort::Real, Rate::Step));
        let sum = g.add(Node::Add(b, c));
        let right = g.add(Node::Add(a, sum));
        assert_eq!(dsl(&g, right), "a + (b + c)");
        let left = g.add(Node::Add(sum, a));
        assert_eq!(dsl(&g, left), "b + c + a");
        let product = g.add(Node::Mul(sum, a));
        assert_eq!(dsl(&g, product), "(b + c) * a");
        let negative = g.add(Node::Neg(product));
        assert_eq!(dsl(&g, negative), "-((b + c) * a)");
        let quotient = g.add(Node::Div(a, product));
        assert_eq!(dsl(&g, quotient), "a / ((b + c) * a)");
        let power = g.add(Node::Powi(sum, 3));
        assert_eq!(dsl(&g, power), "(b + c)^3");
        let minus = g.add(Node::Neg(power));
        assert_eq!(dsl(&g, minus), "-(b + c)^3");
        let exp = g.add(Node::Call(Func::Exp, quotient));
        assert_eq!(dsl(&g, exp), "exp(a / ((b + c) * a))");
    }

    #[test]
    fn choices_and_numbers_in_every_dialect() {
        let mut g = Graph::default();
        let a = g.leaf(Quantity::Input(0), "a", Sort::Real, Rate::Step);
        let one = g.num(-1.0);
        let cond = g.less(a, one);
        let choice = g.add(Node::Select(cond, one, a));
        let sum = g.add(Node::Add(choice, a));
        let print = |dialect| Printer { graph: &g, dialect, names: &HashMap::new() }.expr(sum);
        assert_eq!(print(Dialect::Dsl), "(if a < -1 { -1 } else { a }) + a");
        assert_eq!(print(Dialect::Rust), "(if a < -num(1.0) { -num(1.0) } else { a }) + a");
        assert_eq!(print(Dialect::Cuda), "(a < -acc_t(1.0) ? -acc_t(1.0) : a) + a");
    }
}
