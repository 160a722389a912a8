//! Equations as LaTeX, in the notation of the field: `V[t-1]` is the potential that a step starts from, `H[t]` the
//! charged one, `S[t]` the spike, `L` the loss.

mod symbol;

use std::collections::HashMap;

use crate::emit::equations::parts;
use crate::gradient::{Derived, Factor};
use crate::identifiers;
use crate::ir::{Cmp, Graph, Id, Node, Quantity, Rate};
use crate::model::{Model, Output};

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
    let updates = || model.states[1..].iter().filter_map(|state| Some((state, state.update?)));
    let shown = [model.charge].into_iter().chain(model.outputs()).chain(derived.resets.iter().copied());
    let mut rows = writer.definitions(shown.chain(updates().map(|(_, update)| update)));
    rows.push(Row::new(state("h", "t"), writer.expr(model.charge)));
    rows.extend(model.spike.map(|spike| Row::new(state("spike", "t"), writer.expr(spike.value))));
    match model.output {
        Output::Spike { threshold, strict } => {
            let threshold = writer.operand(threshold, Binding::Product);
            let compare = if strict { ">" } else { "-" };
            let right = format!(r"\Theta\left({} {compare} {threshold}\right)", state("h", "t"));
            rows.push(Row::new(state("spike", "t"), right));
        }
        Output::Spikes => {}
        Output::Value(value) => rows.push(Row::new(state("output", "t"), writer.expr(value))),
    }
    let several = derived.resets.len() > 1;
    for (reset, &expr) in model.resets.iter().zip(&derived.resets) {
        let note = several.then(|| format!("{} reset", reset.word()));
        rows.push(Row { note, ..Row::new(state("v", "t"), writer.expr(expr)) });
    }
    rows.extend(
        updates().map(|(s, update)| Row::new(state(&identifiers::text(&s.name), "t"), writer.expr(update))),
    );
    rows
}

/// All factors that are not zero, and the gradients made of them.
pub fn derivatives(derived: &Derived) -> Vec<Row> {
    let mut writer = Writer::new(derived);
    let model = &derived.model;
    let exprs = derived.factors.iter().flat_map(|factor| factor.exprs.clone());
    let grads = || {
        let inputs = derived.grad_inputs.iter().map(|grad| (model.inputs[grad.index].leaf, grad.expr));
        let states = derived.grad_states.iter().map(|grad| (model.states[grad.index].leaf, grad.expr));
        let params = derived.grad_params.iter().map(|grad| (model.params[grad.index].leaf, grad.expr));
        inputs.chain(states).chain(params)
    };
    let shown = exprs.chain([derived.grad_h]).chain(grads().map(|(_, expr)| expr));
    let mut rows = writer.definitions(shown);
    for factor in &derived.factors {
        let left = factor_symbol(model, factor);
        if factor.value == derived.leaves.s_to_h {
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
    for (leaf, expr) in grads() {
        rows.push(Row::new(loss(&writer.symbols[&leaf]), writer.expr(expr)));
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
fn variable(model: &Model, quantity: Quantity) -> String {
    let name = model.name_of(quantity);
    match quantity {
        Quantity::Charged | Quantity::Input(_) => state(&name, "t"),
        Quantity::State(_) => state(&name, "t-1"),
        _ => subscripted(&name),
    }
}

fn loss(by: &str) -> String {
    format!(r"\frac{{\partial L}}{{\partial {by}}}")
}

/// `grad_v_to_h`
fn factor_symbol(model: &Model, factor: &Factor) -> String {
    let of = match factor.of {
        Quantity::Output => state(model.output.name(), "t"),
        of => state(&model.name_of(of), "t"),
    };
    format!(r"\frac{{\mathrm{{d}} {of}}}{{\mathrm{{d}} {}}}", variable(model, factor.by))
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
    model: &'a Model,
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
        let variables = (model.inputs.iter().map(|input| input.leaf))
            .chain(model.states.iter().map(|state| state.leaf))
            .chain(model.params.iter().map(|param| param.leaf));
        for leaf in variables {
            let quantity = model.graph.quantity(leaf).expect("a leaf");
            symbols.insert(leaf, variable(model, quantity));
        }
        let flag = |name: &str| format!(r"\mathtt{{{}}}", name.replace('_', r"\_"));
        symbols.extend(model.flags.iter().map(|f| (f.leaf, flag(&identifiers::text(&f.name)))));
        symbols.insert(derived.leaves.output, loss(&state(model.output.name(), "t")));
        symbols.insert(derived.leaves.h, loss(&state("h", "t")));
        symbols.insert(derived.leaves.detach_reset, flag("detach_reset"));
        for factor in derived.kept() {
            symbols.insert(factor.value, factor_symbol(model, factor));
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
        Self { model, graph: &model.graph, symbols, named }
    }

    /// Gives names to what the declaration names, as far as it is in one of these, and says what they stand for.
    fn definitions(&mut self, exprs: impl Iterator<Item = Id>) -> Vec<Row> {
        let exprs: Vec<Id> = exprs.collect();
        let reached = self.graph.reach(exprs.iter().copied());
        let mut parts = parts(self.graph, &exprs, |_| false, |_, id| self.symbols.contains_key(&id));
        parts.retain(|part| !self.symbols.contains_key(part));
        for (number, part) in (1..).zip(parts) {
            let symbol = format!("t_{{{number}}}");
            self.named.push((part, symbol.clone()));
            self.symbols.insert(part, symbol);
        }
        self.named.sort();
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

    /// A leaf that has no place in the model.
    fn leaf(&self, id: Id) -> String {
        match self.graph.quantity(id) {
            Some(Quantity::GradNext(index)) => {
                let name = self.model.name_of(Quantity::State(index));
                loss(&state(&name, "t"))
            }
            Some(Quantity::Slope(distance)) => format!(r"\sigma'\left({}\right)", self.expr(distance)),
            _ => subscripted(self.graph.as_leaf(id).map_or("", |leaf| leaf.name.as_str())),
        }
    }

    fn node(&self, id: Id) -> (String, Binding) {
        use Binding::{And, Atom, Choice, Compare, Fraction, Or, Product, Sum};
        let binary = |a, op, b, left, right, binding| {
            (format!("{} {op} {}", self.operand(a, left), self.operand(b, right)), binding)
        };
        match self.graph.node(id) {
            Node::Num(bits) => number(f64::from_bits(bits)),
            Node::Leaf(_) => (self.leaf(id), Atom),
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
            Node::Call(func, a) => (func.latex(&self.expr(a)), Fraction),
            Node::StraightThrough(a, _) => match (self.graph.as_heaviside(id), self.graph.node(a)) {
                (Some(_), Node::Select(cond, ..)) => {
                    (format!(r"\Theta\left({}\right)", self.expr(cond)), Fraction)
                }
                _ => self.print(a),
            },
            Node::Detach(a) => (format!(r"\operatorname{{sg}}\left({}\right)", self.expr(a)), Fraction),
            Node::Primitive(a) => (format!(r"\sigma\left({}\right)", self.expr(a)), Fraction),
            Node::Compare(op, a, b) => {
                let is_h = |id| self.graph.quantity(id) == Some(Quantity::Charged);
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

fn number(value: f64) -> (String, Binding) {
    let text = format!("{value:?}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    let text = match text.split_once('e') {
        Some((digits, exponent)) => format!(r"{digits} \cdot 10^{{{exponent}}}"),
        None => text.to_owned(),
    };
    (text, if value.is_sign_negative() { Binding::Sum } else { Binding::Atom })
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
