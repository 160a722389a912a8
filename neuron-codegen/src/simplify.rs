//! Simplifying constructors, used to build derivatives.
//!
//! What the user wrote is never passed through here: it is evaluated as written. Derivatives are ours,
//! and without these rules most of them would be products with zeros and ones. The rules treat an exact
//! zero as absorbing, since a term that does not depend on a variable contributes nothing to its gradient
//! whatever its own value is. Numbers are folded only to finite numbers: no language has a literal for others.

use crate::ir::{Cmp, Func, Graph, Id, Node};

impl Graph {
    /// `a` with one sign at most: a user may write any number of them, and no rule here may recurse as often.
    fn signed(&self, mut a: Id) -> Id {
        while let Node::Neg(b) = self.node(a)
            && let Node::Neg(c) = self.node(b)
        {
            a = c;
        }
        a
    }

    /// `-a`
    pub fn neg(&mut self, a: Id) -> Id {
        let a = self.signed(a);
        match self.node(a) {
            Node::Num(bits) => self.num(0.0 - f64::from_bits(bits)),
            Node::Neg(b) => b,
            Node::Sub(b, c) => self.sub(c, b),
            Node::Select(c, p, q) if self.number(p).is_some() && self.number(q).is_some() => {
                let (p, q) = (self.neg(p), self.neg(q));
                self.select(c, p, q)
            }
            _ => self.add(Node::Neg(a)),
        }
    }

    /// `a + b`
    pub fn sum(&mut self, a: Id, b: Id) -> Id {
        let (a, b) = (self.signed(a), self.signed(b));
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) if (x + y).is_finite() => self.num(x + y),
            (Some(0.0), _) => b,
            (_, Some(0.0)) => a,
            (Some(x), _) if x < 0.0 => {
                let x = self.num(-x);
                self.sub(b, x)
            }
            (_, Some(y)) if y < 0.0 => {
                let y = self.num(-y);
                self.sub(a, y)
            }
            _ => match (self.node(a), self.node(b)) {
                (_, Node::Neg(c)) => self.sub(a, c),
                (Node::Neg(c), _) => self.sub(b, c),
                _ => self.add(Node::Add(a, b)),
            },
        }
    }

    /// `a - b`
    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        let (a, b) = (self.signed(a), self.signed(b));
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) if (x - y).is_finite() => self.num(x - y),
            (Some(0.0), _) => self.neg(b),
            (_, Some(0.0)) => a,
            _ if a == b => self.num(0.0),
            _ => match self.node(b) {
                Node::Neg(c) => self.sum(a, c),
                _ => self.add(Node::Sub(a, b)),
            },
        }
    }

    /// `a * b`
    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        let (a, b) = (self.signed(a), self.signed(b));
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) if (x * y).is_finite() => self.num(x * y),
            (Some(0.0), _) | (_, Some(0.0)) => self.num(0.0),
            (Some(1.0), _) => b,
            (_, Some(1.0)) => a,
            (Some(-1.0), _) => self.neg(b),
            (_, Some(-1.0)) => self.neg(a),
            // Numbers go first and are merged: 2 * (3 * a) = 6 * a.
            (None, Some(_)) => self.mul(b, a),
            (Some(x), None) => {
                let (mut number, mut rest) = (x, b);
                while let Node::Mul(c, d) = self.node(rest)
                    && let Some(c) = self.number(c).filter(|c| (number * c).is_finite())
                {
                    (number, rest) = (number * c, d);
                }
                if rest == b {
                    return self.add(Node::Mul(a, b));
                }
                let number = self.num(number);
                self.mul(number, rest)
            }
            _ => match (self.node(a), self.node(b)) {
                (Node::Neg(c), Node::Neg(d)) => self.mul(c, d),
                (Node::Neg(c), _) => {
                    let product = self.mul(c, b);
                    self.neg(product)
                }
                (_, Node::Neg(d)) => {
                    let product = self.mul(a, d);
                    self.neg(product)
                }
                // 1 / b, times a.
                (Node::Div(one, d), _) if self.number(one) == Some(1.0) => self.div(b, d),
                (_, Node::Div(one, d)) if self.number(one) == Some(1.0) => self.div(a, d),
                // (c / b) * b
                (Node::Div(c, d), _) if d == b => c,
                (_, Node::Div(c, d)) if d == a => c,
                (Node::Select(c, p, q), _) if self.chooses_unit(p, q) => {
                    let (p, q) = (self.mul(p, b), self.mul(q, b));
                    self.select(c, p, q)
                }
                (_, Node::Select(c, p, q)) if self.chooses_unit(p, q) => {
                    let (p, q) = (self.mul(a, p), self.mul(a, q));
                    self.select(c, p, q)
                }
                _ => self.add(Node::Mul(a, b)),
            },
        }
    }

    /// Whether both alternatives are 0 or 1, so that multiplying each of them makes less work, not more.
    fn chooses_unit(&self, p: Id, q: Id) -> bool {
        let unit = |id| matches!(self.number(id), Some(0.0 | 1.0 | -1.0));
        unit(p) && unit(q)
    }

    /// `a / b`
    pub fn div(&mut self, a: Id, b: Id) -> Id {
        let (a, b) = (self.signed(a), self.signed(b));
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) if (x / y).is_finite() => self.num(x / y),
            (Some(0.0), _) => a,
            (_, Some(1.0)) => a,
            (_, Some(-1.0)) => self.neg(a),
            (Some(x), _) if x < 0.0 => {
                let a = self.num(-x);
                let quotient = self.div(a, b);
                self.neg(quotient)
            }
            _ => match self.node(a) {
                Node::Neg(c) => {
                    let quotient = self.div(c, b);
                    self.neg(quotient)
                }
                // (b * c) / b
                Node::Mul(c, d) if c == b => d,
                Node::Mul(c, d) if d == b => c,
                _ => self.add(Node::Div(a, b)),
            },
        }
    }

    /// `a` to the power `n`
    pub fn powi(&mut self, a: Id, n: i32) -> Id {
        match (n, self.number(a)) {
            (0, _) => self.num(1.0),
            (1, _) => a,
            (_, Some(x)) if x.powi(n).is_finite() => self.num(x.powi(n)),
            _ => self.add(Node::Powi(a, n)),
        }
    }

    /// `func(a)`
    pub fn call(&mut self, func: Func, a: Id) -> Id {
        self.add(Node::Call(func, a))
    }

    /// `a < b`
    pub fn less(&mut self, a: Id, b: Id) -> Id {
        self.add(Node::Compare(Cmp::Lt, a, b))
    }

    /// `if cond { a } else { b }`
    pub fn select(&mut self, cond: Id, a: Id, b: Id) -> Id {
        if a == b {
            return a;
        }
        match self.node(cond) {
            Node::Not(c) => self.select(c, b, a),
            _ => self.add(Node::Select(cond, a, b)),
        }
    }
}
