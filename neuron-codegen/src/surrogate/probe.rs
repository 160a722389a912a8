//! Values of a surrogate as kernels compute them, to find where it is not finite before anybody trains with it.

use std::collections::HashMap;

use super::Surrogate;
use crate::check::constant;
use crate::ir::{Cmp, Graph, Id, Node};

/// Where a surrogate is not finite.
pub struct Failure {
    /// `gradient` or `primitive`.
    pub what: &'static str,
    /// At which distance from the threshold.
    pub u: f64,
    /// What it is there.
    pub value: f64,
    /// In which format of the arithmetic.
    pub format: &'static str,
}

/// A format of the arithmetic: its name, the distance that stands for all larger ones, how it rounds.
type Format = (&'static str, f64, fn(f64) -> f64);

/// The bounds are those of the runtime.
const FORMATS: [Format; 2] = [("float32", 1e18, |x| f64::from(x as f32)), ("float64", 1e150, |x| x)];

const PLACES: [f64; 12] = [0.0, 1e-30, 1e-3, 0.1, 0.5, 1.0, 3.0, 10.0, 50.0, 200.0, 1e4, 1e9];

/// The first place at which the gradient or the primitive is not finite, with the default parameters.
pub fn failure(surrogate: &Surrogate) -> Option<Failure> {
    let Surrogate { graph, params, .. } = surrogate;
    for (format, bound, round) in FORMATS {
        let mut values: HashMap<Id, f64> =
            params.iter().map(|param| (param.leaf, round(param.default))).collect();
        for place in PLACES.into_iter().chain([bound]) {
            for u in [round(place), -round(place)] {
                values.insert(surrogate.u, u);
                for (what, id) in [("gradient", surrogate.gradient), ("primitive", surrogate.primitive)] {
                    let value = Probe { graph, values: &values, round, done: HashMap::new() }.number(id);
                    if !value.is_finite() {
                        return Some(Failure { what, u, value, format });
                    }
                }
            }
        }
    }
    None
}

struct Probe<'a> {
    graph: &'a Graph,
    values: &'a HashMap<Id, f64>,
    round: fn(f64) -> f64,
    done: HashMap<Id, f64>,
}

impl Probe<'_> {
    fn number(&mut self, id: Id) -> f64 {
        if let Some(&done) = self.done.get(&id) {
            return done;
        }
        let value = match self.graph.node(id) {
            Node::Num(bits) => f64::from_bits(bits),
            Node::Leaf(_) => self.values.get(&id).copied().unwrap_or(f64::NAN),
            Node::Neg(a) => -self.number(a),
            Node::Add(a, b) => self.number(a) + self.number(b),
            Node::Sub(a, b) => self.number(a) - self.number(b),
            Node::Mul(a, b) => self.number(a) * self.number(b),
            Node::Div(a, b) => self.number(a) / self.number(b),
            Node::Powi(a, n) => {
                let power = (self.round)(libm::pow(self.number(a), f64::from(n.unsigned_abs())));
                if n < 0 { 1.0 / power } else { power }
            }
            Node::Min(a, b) => {
                let (a, b) = (self.number(a), self.number(b));
                if a < b { a } else { b }
            }
            Node::Max(a, b) => {
                let (a, b) = (self.number(a), self.number(b));
                if a > b { a } else { b }
            }
            Node::Call(func, a) => constant::call(func, self.number(a)),
            Node::Select(cond, a, b) => {
                let chosen = if self.holds(cond) { a } else { b };
                self.number(chosen)
            }
            Node::Compare(..) | Node::Not(_) | Node::And(..) | Node::Or(..) => {
                f64::from(u8::from(self.holds(id)))
            }
        };
        let value = (self.round)(value);
        self.done.insert(id, value);
        value
    }

    fn holds(&mut self, id: Id) -> bool {
        match self.graph.node(id) {
            Node::Compare(Cmp::Lt, a, b) => self.number(a) < self.number(b),
            Node::Compare(Cmp::Le, a, b) => self.number(a) <= self.number(b),
            Node::Compare(Cmp::Eq, a, b) => self.number(a) == self.number(b),
            Node::Compare(Cmp::Ne, a, b) => self.number(a) != self.number(b),
            Node::Not(a) => !self.holds(a),
            Node::And(a, b) => self.holds(a) && self.holds(b),
            Node::Or(a, b) => self.holds(a) || self.holds(b),
            _ => self.number(id) != 0.0,
        }
    }
}
