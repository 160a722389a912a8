//! Equations as LaTeX, in the notation of the field: `V[t-1]` is the potential that a step starts from, `H[t]` the
//! charged one, `S[t]` the spike, `L` the loss.

mod symbol;

use std::collections::HashMap;

use crate::gradient::Derived;
use crate::ir::{Cmp, Func, Graph, Id, Node, Rate};
use crate::model::Output;

use symbol::{state, subscripted};

/// One equation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Left-hand side.
    pub left: String,
    /// Right-hand side.
    pub right: String,
    /// When it holds: `hard reset`.
    pub note: Option<String>,
}

/// The equations of one step, in order; what the declaration gives a name comes first.
pub fn equations(derived: &Derived) -> Vec<Row> {
    let mut writer = Writer::new(derived);
    let model = &derived.model;
    let outputs = match model.output {
        Output::Spike { threshold } => threshold,
        Output::Value(value) => value,
    };
    let updates = || model.states[1..].iter().filter_map(|state| Some((state, state.update?)));
    let shown = [model.charge, outputs].into_iter().chain(derived.resets.iter().copied());
    let mut rows = writer.definitions(shown.chain(updates().map(|(_, update)| update)));
    rows.push(Row::new(state("h", "t"), writer.expr(model.charge)));
    rows.push(match model.output {
        Output::Spike { threshold } => {
            let threshold = writer.operand(threshold, Binding::Product);
            Row::new(state("spike", "t"), format!(r"\Theta\left({} - {threshold}\right)", state("h", "t")))
        }
        Output::Value(value) => Row::new(state("output", "t"), writer.expr(value)),
    });
    let several = derived.resets.len() > 1;
    for (reset, &expr) in model.resets.iter().zip(&derived.resets) {
        let note = several.then(|| format!("{} reset", reset.word()));
        rows.push(Row { note, ..Row::new(state("v", "t"), writer.expr(expr)) });
    }
    rows.extend(updates().map(|(s, update)| Row::new(state(&s.name.to_string(), "t"), writer.expr(update))));
    rows
}

/// All factors that are not zero, and the gradients made of them.
pub fn derivatives(derived: &Derived) -> Vec<Row> {
    let mut writer = Writer::new(derived);
    let exprs = derived.factors.iter().flat_map(|factor| factor.exprs.clone());
    let grads = || derived.grad_inputs.iter().chain(&derived.grad_states).chain(&derived.grad_params);
    let shown = exprs.chain([derived.grad_h]).chain(grads().map(|grad| grad.expr));
    let mut rows = writer.definitions(shown);
    for factor in &derived.factors {
        let left = factor_symbol(derived, &factor.name);
        if factor.name == "grad_s_to_h" {
            let threshold = derived.model.threshold().map(|id| writer.operand(id, Binding::Product));
            let above = format!("{} - {}", state("h", "t"), threshold.unwrap_or_default());
            rows.push(Row::new(left, format!(r"\sigma'\left({above}\right)")));
        } else if factor.exprs.iter().all(|expr| *expr == factor.exprs[0]) {
            rows.push(Row::new(left, writer.expr(factor.exprs[0])));
        } else {
            for (reset, &expr) in derived.model.resets.iter().zip(&factor.exprs) {
                let note = Some(format!("{} reset", reset.word()));
                rows.push(Row { note, ..Row::new(left.clone(), writer.expr(expr)) });
            }
        }
    }
    rows.push(Row::new(loss(&state("h", "t")), writer.expr(derived.grad_h)));
    for grad in grads() {
        rows.push(Row::new(loss(&variable(derived, &grad.of)), writer.expr(grad.expr)));
    }
    rows
}

impl Row {
    fn new(left: String, right: String) -> Self {
        Self { left, right, note: None }
    }
}

/// Rows as the inside of `align` or `aligned`.
pub fn aligned(rows: &[Row]) -> String {
    let row = |Row { left, right, note }: &Row| {
        let note = note.as_ref().map(|note| format!(r" && \text{{({note})}}")).unwrap_or_default();
        format!("{left} &= {right}{note}")
    };
    rows.iter().map(row).collect::<Vec<_>>().join(" \\\\\n")
}

/// An input, a state that a step starts from, or a parameter.
fn variable(derived: &Derived, name: &str) -> String {
    let model = &derived.model;
    match name {
        "h" => state("h", "t"),
        _ if model.inputs.iter().any(|input| input.name == name) => state(name, "t"),
        _ if model.states.iter().any(|s| s.name == name) => state(name, "t-1"),
        _ => subscripted(name),
    }
}

fn loss(by: &str) -> String {
    format!(r"\frac{{\partial L}}{{\partial {by}}}")
}

/// `grad_v_to_h`
fn factor_symbol(derived: &Derived, name: &str) -> String {
    let Some((of, by)) = name.strip_prefix("grad_").and_then(|name| name.split_once("_to_")) else {
        return subscripted(name);
    };
    let of = if of == "s" { "spike" } else { of };
    format!(r"\frac{{\mathrm{{d}} {}}}{{\mathrm{{d}} {}}}", state(of, "t"), variable(derived, by))
}

/// How tightly an operator binds; higher is tighter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Compare,
    Choice,
    Sum,
    Product,
    Fraction,
    Atom,
}

struct Writer<'a> {
    graph: &'a Graph,
    /// Leaves, and expressions that have a name, by what they are called.
    symbols: HashMap<Id, String>,
    named: Vec<(Id, String)>,
}

impl<'a> Writer<'a> {
    fn new(derived: &'a Derived) -> Self {
        let model = &derived.model;
        let mut symbols = HashMap::new();
        let leaves = &model.leaves;
        symbols.insert(leaves.h, state("h", "t"));
        symbols.insert(leaves.spike, state("spike", "t"));
        symbols.insert(leaves.fired, state("spike", "t"));
        symbols.extend(model.inputs.iter().map(|input| (input.leaf, state(&input.name.to_string(), "t"))));
        symbols.extend(model.states.iter().map(|s| (s.leaf, state(&s.name.to_string(), "t-1"))));
        symbols.extend(model.params.iter().map(|param| (param.leaf, subscripted(&param.name.to_string()))));
        let flag = |name: &str| format!(r"\mathtt{{{}}}", name.replace('_', r"\_"));
        symbols.extend(model.flags.iter().map(|f| (f.leaf, flag(&f.name.to_string()))));
        symbols.insert(derived.leaves.output, loss(&state(model.output.name(), "t")));
        symbols.insert(derived.leaves.h, loss(&state("h", "t")));
        symbols.insert(derived.leaves.s_to_h, factor_symbol(derived, "grad_s_to_h"));
        symbols.insert(derived.leaves.detach_reset, flag("detach_reset"));
        for factor in derived.kept() {
            symbols.insert(factor.value, factor_symbol(derived, &factor.name));
        }
        let mut named: Vec<(Id, String)> = (model.names.iter())
            .filter(|(id, _)| !symbols.contains_key(*id) && model.graph.number(**id).is_none())
            .map(|(&id, name)| (id, name.clone()))
            .collect();
        named.sort();
        for (id, name) in &named {
            let time = if model.graph.rate(*id) == Rate::Step { "[t]" } else { "" };
            symbols.insert(*id, format!("{}{time}", subscripted(name)));
        }
        Self { graph: &model.graph, symbols, named }
    }

    /// Gives names to what the declaration names, as far as it is in one of these, and says what they stand for.
    fn definitions(&mut self, exprs: impl Iterator<Item = Id>) -> Vec<Row> {
        // What is shown on a right-hand side of its own needs no name.
        let exprs: Vec<Id> = exprs.collect();
        let reached = self.graph.reach(exprs.iter().copied());
        let rows = self.named.iter().filter(|(id, _)| reached.contains(id));
        let rows = rows.map(|(id, _)| Row::new(self.symbols[id].clone(), self.node(*id).0));
        rows.collect()
    }

    fn expr(&self, id: Id) -> String {
        self.print(id).0
    }

    fn operand(&self, id: Id, least: Binding) -> String {
        let (text, binding) = self.print(id);
        if binding < least { format!(r"\left({text}\right)") } else { text }
    }

    fn print(&self, id: Id) -> (String, Binding) {
        match self.symbols.get(&id) {
            Some(symbol) => (symbol.clone(), Binding::Atom),
            None => self.node(id),
        }
    }

    fn node(&self, id: Id) -> (String, Binding) {
        use Binding::{And, Atom, Choice, Compare, Fraction, Or, Product, Sum};
        let binary = |a, op, b, left, right, binding| {
            (format!("{} {op} {}", self.operand(a, left), self.operand(b, right)), binding)
        };
        match self.graph.node(id) {
            Node::Num(bits) => number(f64::from_bits(bits)),
            Node::Leaf(_) => (gradient_leaf(self.graph, id), Atom),
            Node::Neg(a) => (format!("-{}", self.operand(a, Product)), Sum),
            Node::Add(a, b) => binary(a, "+", b, Sum, Choice, Sum),
            Node::Sub(a, b) => binary(a, "-", b, Sum, Product, Sum),
            Node::Mul(a, b) => {
                let (a, b) = (self.operand(a, Product), self.operand(b, Product));
                let digits = b.starts_with(|c: char| c.is_ascii_digit() || c == '-');
                (format!(r"{a} {} {b}", if digits { r"\cdot" } else { r"\," }), Product)
            }
            Node::Div(a, b) => {
                let (over, under) = (self.expr(a), self.expr(b));
                if over.contains(r"\frac") {
                    // Fractions in fractions are small print.
                    return (format!(r"\frac{{1}}{{{under}}} \, {}", self.operand(a, Product)), Product);
                }
                (format!(r"\frac{{{over}}}{{{under}}}"), Fraction)
            }
            Node::Powi(a, n) => (format!("{}^{{{n}}}", self.operand(a, Atom)), Fraction),
            Node::Min(a, b) => (format!(r"\min\left({}, {}\right)", self.expr(a), self.expr(b)), Fraction),
            Node::Max(a, b) => (format!(r"\max\left({}, {}\right)", self.expr(a), self.expr(b)), Fraction),
            Node::Call(func, a) => (call(func, &self.expr(a)), Fraction),
            Node::Compare(op, a, b) => {
                let is_h = |id| self.graph.as_leaf(id).is_some_and(|leaf| leaf.name == "h");
                let (a, op, b) = match op {
                    Cmp::Lt if is_h(b) => (b, ">", a),
                    Cmp::Le if is_h(b) => (b, r"\ge", a),
                    Cmp::Lt => (a, "<", b),
                    Cmp::Le => (a, r"\le", b),
                    Cmp::Eq => (a, "=", b),
                    Cmp::Ne => (a, r"\ne", b),
                };
                binary(a, op, b, Sum, Sum, Compare)
            }
            Node::Not(a) => (format!(r"\lnot {}", self.operand(a, Atom)), Atom),
            Node::And(a, b) => binary(a, r"\land", b, And, Compare, And),
            Node::Or(a, b) => binary(a, r"\lor", b, Or, And, Or),
            Node::Select(cond, a, b) => {
                let mut rows = vec![format!(r"{} & \text{{if }} {}", self.expr(a), self.expr(cond))];
                let mut last = b;
                while let (Node::Select(cond, a, b), None) = (self.graph.node(last), self.symbols.get(&last))
                {
                    rows.push(format!(r"{} & \text{{if }} {}", self.expr(a), self.expr(cond)));
                    last = b;
                }
                rows.push(format!(r"{} & \text{{otherwise}}", self.expr(last)));
                (format!(r"\begin{{cases}} {} \end{{cases}}", rows.join(r" \\ ")), Choice)
            }
        }
    }
}

/// `grad_v_next`, which has no place in the model.
fn gradient_leaf(graph: &Graph, id: Id) -> String {
    let name = graph.as_leaf(id).map_or("", |leaf| leaf.name.as_str());
    match name.strip_prefix("grad_").and_then(|name| name.strip_suffix("_next")) {
        Some(of) => loss(&state(of, "t")),
        None => subscripted(name),
    }
}

fn number(value: f64) -> (String, Binding) {
    let text = format!("{value:?}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    let text = match text.split_once('e') {
        Some((digits, exponent)) => format!(r"{digits} \cdot 10^{{{exponent}}}"),
        None => text.to_owned(),
    };
    (text, if value.is_sign_negative() { Binding::Sum } else { Binding::Atom })
}

fn call(func: Func, a: &str) -> String {
    let name = match func {
        Func::Sqrt => return format!(r"\sqrt{{{a}}}"),
        Func::Abs => return format!(r"\left|{a}\right|"),
        Func::Exp => r"\exp",
        Func::Ln => r"\ln",
        Func::Tanh => r"\tanh",
        Func::Atan => r"\arctan",
        Func::Sin => r"\sin",
        Func::Cos => r"\cos",
        Func::Sigmoid => r"\operatorname{sigmoid}",
        Func::Erf => r"\operatorname{erf}",
        Func::Round => r"\operatorname{round}",
    };
    format!(r"{name}\left({a}\right)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::analyse;

    fn derived(declaration: &str) -> Derived {
        let analysis = analyse(declaration.parse().unwrap());
        assert!(analysis.report.is_empty(), "{:?}", analysis.report);
        Derived::new(analysis.model.unwrap())
    }

    #[test]
    fn equations_in_the_notation_of_the_field() {
        let rows = equations(&derived(
            "struct A { param tau_m = 2.0; flag slow = true; state w = 0.0;
             let leak = (v - v_reset) / tau_m;
             charge = v + if slow { x - leak } else { 2.0 * x };
             update w = exp(-w) * (w - spike)^2; reset hard | soft; }",
        ));
        assert_eq!(
            aligned(&rows),
            r"\mathrm{leak}[t] &= \frac{V[t-1] - V_{\mathrm{reset}}}{\tau_{\mathrm{m}}} \\
H[t] &= V[t-1] + \begin{cases} X[t] - \mathrm{leak}[t] & \text{if } \mathtt{slow} \\ 2 \, X[t] & \text{otherwise} \end{cases} \\
S[t] &= \Theta\left(H[t] - V_{\mathrm{threshold}}\right) \\
V[t] &= \begin{cases} V_{\mathrm{reset}} & \text{if } S[t] \\ H[t] & \text{otherwise} \end{cases} && \text{(hard reset)} \\
V[t] &= H[t] - S[t] \, V_{\mathrm{threshold}} && \text{(soft reset)} \\
w[t] &= \exp\left(-w[t-1]\right) \, \left(w[t-1] - S[t]\right)^{2}"
        );
    }

    #[test]
    fn derivatives_of_the_loss() {
        let rows = derivatives(&derived("struct A { param tau = 2.0; charge = v + x / tau; reset none; }"));
        assert_eq!(
            aligned(&rows),
            r"\frac{\mathrm{d} S[t]}{\mathrm{d} H[t]} &= \sigma'\left(H[t] - V_{\mathrm{threshold}}\right) \\
\frac{\mathrm{d} H[t]}{\mathrm{d} X[t]} &= \frac{1}{\tau} \\
\frac{\mathrm{d} H[t]}{\mathrm{d} V[t-1]} &= 1 \\
\frac{\mathrm{d} V[t]}{\mathrm{d} H[t]} &= 1 \\
\frac{\partial L}{\partial H[t]} &= \frac{\partial L}{\partial S[t]} \, \frac{\mathrm{d} S[t]}{\mathrm{d} H[t]} + \frac{\partial L}{\partial V[t]} \\
\frac{\partial L}{\partial X[t]} &= \frac{1}{\tau} \, \frac{\partial L}{\partial H[t]} \\
\frac{\partial L}{\partial V[t-1]} &= \frac{\partial L}{\partial H[t]}"
        );
    }
}
