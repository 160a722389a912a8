//! A derivative as somebody would have written it.
//!
//! Products are gathered, so that numbers are merged, common factors cancel and one division is left of several;
//! a choice inside an alternative of the same choice is decided; equal alternatives become one. What the user
//! has named stays whole. This changes roundings, which is why only gradients of surrogates, which nobody has
//! written, pass through here.

use std::collections::HashMap;

use crate::ir::{Cmp, Func, Graph, Id, Node};

/// `expr` tidied, and the names in it of the parts that the user had given `names`.
pub fn tidied(graph: &mut Graph, expr: Id, names: &HashMap<Id, String>) -> (Id, HashMap<Id, String>) {
    let (renamed, done) = (HashMap::new(), HashMap::new());
    let mut tidy = Tidy { names, renamed, facts: Vec::new(), done, assumptions: 0 };
    let id = tidy.of(graph, expr);
    (id, tidy.renamed)
}

/// How two numbers may compare: less, equal, greater.
type Relations = [bool; 3];

struct Tidy<'a> {
    names: &'a HashMap<Id, String>,
    renamed: HashMap<Id, String>,
    /// What is known of pairs of numbers inside an alternative.
    facts: Vec<(Id, Id, Relations)>,
    /// What has been tidied under the present facts.
    done: HashMap<Id, Id>,
    /// How often something was tidied for an alternative of its own.
    assumptions: usize,
}

/// Choices in choices in choices: at some point, it is not worth knowing which.
const MAX_ASSUMPTIONS: usize = 500;

impl Tidy<'_> {
    fn of(&mut self, g: &mut Graph, id: Id) -> Id {
        if let Some(&done) = self.done.get(&id) {
            return done;
        }
        let result = match g.node(id) {
            Node::Num(_) | Node::Leaf(_) => id,
            Node::Add(a, b) => {
                let (a, b) = (self.of(g, a), self.of(g, b));
                if a == b && g.number(a).is_none() {
                    let mut product = Product { over: 2.0, ..Product::default() };
                    product.absorb(g, &self.renamed, a, false);
                    product.build(g, &self.renamed)
                } else {
                    g.sum(a, b)
                }
            }
            Node::Sub(a, b) => {
                let (a, b) = (self.of(g, a), self.of(g, b));
                g.sub(a, b)
            }
            Node::Neg(_) | Node::Mul(..) | Node::Div(..) | Node::Powi(..) => {
                let mut product = Product::default();
                self.gather(g, id, false, &mut product);
                product.build(g, &self.renamed)
            }
            Node::Select(cond, a, b) => self.choice(g, cond, a, b),
            node => {
                let node = node.map(|operand| self.of(g, operand));
                g.add(node)
            }
        };
        if let Some(name) = self.names.get(&id)
            && !matches!(g.node(result), Node::Num(_) | Node::Leaf(_))
            && !self.renamed.values().any(|taken| taken == name)
        {
            self.renamed.insert(result, name.clone());
        }
        self.done.insert(id, result);
        result
    }

    /// The factors of `id`, or of its inverse.
    fn gather(&mut self, g: &mut Graph, id: Id, inverse: bool, product: &mut Product) {
        match g.node(id) {
            Node::Num(bits) => product.number(f64::from_bits(bits), inverse),
            Node::Neg(a) => {
                product.over = -product.over;
                self.part(g, a, inverse, product);
            }
            // A square stays the square of something.
            Node::Mul(a, b) if a == b => {
                let a = self.of(g, a);
                product.factor(g, a, inverse, 2);
            }
            Node::Mul(a, b) => {
                self.part(g, a, inverse, product);
                self.part(g, b, inverse, product);
            }
            Node::Div(a, b) => {
                self.part(g, a, inverse, product);
                self.part(g, b, !inverse, product);
            }
            Node::Powi(a, n) => {
                let a = self.of(g, a);
                product.factor(g, a, inverse != (n < 0), n.unsigned_abs());
            }
            _ => {
                let factor = self.of(g, id);
                product.absorb(g, &self.renamed, factor, inverse);
            }
        }
    }

    /// An operand of a product: its factors, unless it has a name.
    fn part(&mut self, g: &mut Graph, id: Id, inverse: bool, product: &mut Product) {
        if self.names.contains_key(&id) {
            let factor = self.of(g, id);
            product.factor(g, factor, inverse, 1);
        } else {
            self.gather(g, id, inverse, product);
        }
    }

    fn choice(&mut self, g: &mut Graph, cond: Id, a: Id, b: Id) -> Id {
        let cond = self.of(g, cond);
        match self.decided(g, cond) {
            Some(true) => return self.of(g, a),
            Some(false) => return self.of(g, b),
            None => {}
        }
        let a = self.assuming(g, cond, true, a);
        let b = self.assuming(g, cond, false, b);
        self.magnitude(g, cond, a, b).unwrap_or_else(|| g.select(cond, a, b))
    }

    /// `if x < 0 { -(p * x) } else { p * x }` is `p * abs(x)`.
    fn magnitude(&self, g: &mut Graph, cond: Id, a: Id, b: Id) -> Option<Id> {
        let Node::Compare(Cmp::Lt, x, zero) = g.node(cond) else { return None };
        if g.number(zero) != Some(0.0) || g.node(a) != Node::Neg(b) {
            return None;
        }
        let mut product = Product::default();
        product.absorb(g, &self.renamed, b, false);
        let (_, exponent) = product.factors.iter_mut().find(|(factor, _)| *factor == x)?;
        *exponent -= 1;
        let abs = g.call(Func::Abs, x);
        product.factor(g, abs, false, 1);
        Some(product.build(g, &self.renamed))
    }

    /// `id` tidied where `cond` is `value`.
    fn assuming(&mut self, g: &mut Graph, cond: Id, value: bool, id: Id) -> Id {
        let relations = relations(g, cond).filter(|_| self.assumptions < MAX_ASSUMPTIONS);
        let Some((a, b, relations)) = relations else { return self.of(g, id) };
        self.assumptions += 1;
        let done = std::mem::take(&mut self.done);
        self.facts.push((a, b, relations.map(|holds| holds == value)));
        let result = self.of(g, id);
        self.facts.pop();
        self.done = done;
        result
    }

    /// Whether a comparison holds, as far as it follows from what is known.
    fn decided(&self, g: &Graph, cond: Id) -> Option<bool> {
        let (a, b, holds) = relations(g, cond)?;
        let mut possible = [true; 3];
        for &(c, d, known) in &self.facts {
            let known = match (c == a && d == b, c == b && d == a) {
                (true, _) => known,
                (_, true) => [known[2], known[1], known[0]],
                _ => continue,
            };
            for (possible, known) in possible.iter_mut().zip(known) {
                *possible &= known;
            }
        }
        let all = (0..3).all(|i| !possible[i] || holds[i]);
        let none = (0..3).all(|i| !possible[i] || !holds[i]);
        match (all, none) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    }
}

/// Two numbers and how they may compare for `cond` to hold.
fn relations(g: &Graph, cond: Id) -> Option<(Id, Id, Relations)> {
    let Node::Compare(op, a, b) = g.node(cond) else { return None };
    let relations = match op {
        Cmp::Lt => [true, false, false],
        Cmp::Le => [true, true, false],
        Cmp::Eq => [false, true, false],
        Cmp::Ne => [true, false, true],
    };
    Some((a, b, relations))
}

/// A product of powers: numbers apart, factors in the order in which they were met.
struct Product {
    over: f64,
    under: f64,
    /// Factors and their exponents.
    factors: Vec<(Id, i32)>,
}

impl Default for Product {
    fn default() -> Self {
        Self { over: 1.0, under: 1.0, factors: Vec::new() }
    }
}

impl Product {
    fn number(&mut self, value: f64, inverse: bool) {
        if inverse {
            self.under *= value;
        } else {
            self.over *= value;
        }
    }

    fn factor(&mut self, g: &Graph, id: Id, inverse: bool, exponent: u32) {
        let exponent = i32::try_from(exponent).unwrap_or(i32::MAX);
        match g.node(id) {
            Node::Num(bits) => self.number(f64::from_bits(bits).powi(exponent), inverse),
            // What became a negation when it was tidied.
            Node::Neg(a) => {
                if exponent % 2 == 1 {
                    self.over = -self.over;
                }
                self.factor(g, a, inverse, exponent.unsigned_abs());
            }
            _ => {
                let exponent = if inverse { -exponent } else { exponent };
                match self.factors.iter_mut().find(|(factor, _)| *factor == id) {
                    Some((_, before)) => *before = before.saturating_add(exponent),
                    None => self.factors.push((id, exponent)),
                }
            }
        }
    }

    fn build(mut self, g: &mut Graph, names: &HashMap<Id, String>) -> Id {
        self.factors.retain(|(_, exponent)| *exponent != 0);
        let number = self.over / self.under;
        if number == 0.0 {
            return g.num(0.0);
        }
        if let Some(result) = self.distributed(g, names, number) {
            return result;
        }
        // What is the same for all neurons is multiplied first.
        self.factors.sort_by_key(|(factor, _)| g.rate(*factor));
        let magnitude = number.abs();
        let mut over = (magnitude != 1.0).then(|| g.num(magnitude));
        let mut under = None;
        for (factor, exponent) in self.factors {
            let power = match i32::try_from(exponent.unsigned_abs()).unwrap_or(i32::MAX) {
                1 => factor,
                n => g.add(Node::Powi(factor, n)),
            };
            let place = if exponent > 0 { &mut over } else { &mut under };
            *place = Some(match *place {
                None => power,
                Some(before) => g.add(Node::Mul(before, power)),
            });
        }
        let over = over.unwrap_or_else(|| g.num(1.0));
        let quotient = match under {
            None => over,
            Some(under) => g.add(Node::Div(over, under)),
        };
        if number < 0.0 { g.neg(quotient) } else { quotient }
    }

    /// The product with its other factors in the alternatives of its only choice, where that makes no more
    /// work: one of them is a number, or there is nothing but a sign to multiply.
    fn distributed(&self, g: &mut Graph, names: &HashMap<Id, String>, number: f64) -> Option<Id> {
        let mut choices = self.factors.iter().filter(|(id, _)| matches!(g.node(*id), Node::Select(..)));
        let (&(choice, exponent), None) = (choices.next()?, choices.next()) else { return None };
        let Node::Select(cond, a, b) = g.node(choice) else { return None };
        let is_sign = self.factors.len() == 1 && number.abs() == 1.0;
        let is_plain = self.factors.len() == 1 && number == 1.0;
        let is_unit = [a, b].into_iter().any(|id| matches!(g.number(id), Some(0.0 | 1.0 | -1.0)));
        if exponent != 1 || is_plain || !(is_sign || is_unit) {
            return None;
        }
        let products = [a, b].map(|alternative| {
            let mut product = Self { over: number, under: 1.0, factors: self.factors.clone() };
            product.factors.retain(|(id, _)| *id != choice);
            product.absorb(g, names, alternative, false);
            product
        });
        // Of choices in both, and so on in those, there would be all combinations.
        if products.iter().all(|product| product.has_choice(g)) {
            return None;
        }
        let [a, b] = products.map(|product| product.build(g, names));
        Some(g.select(cond, a, b))
    }

    fn has_choice(&self, g: &Graph) -> bool {
        self.factors.iter().any(|(id, _)| matches!(g.node(*id), Node::Select(..)))
    }

    /// Multiplies by what has been tidied and may be a product itself.
    fn absorb(&mut self, g: &Graph, names: &HashMap<Id, String>, id: Id, inverse: bool) {
        match g.node(id) {
            _ if names.contains_key(&id) => self.factor(g, id, inverse, 1),
            Node::Mul(a, b) if a != b => {
                self.absorb(g, names, a, inverse);
                self.absorb(g, names, b, inverse);
            }
            Node::Neg(a) => {
                self.over = -self.over;
                self.absorb(g, names, a, inverse);
            }
            Node::Div(a, b) => {
                self.absorb(g, names, a, inverse);
                self.absorb(g, names, b, !inverse);
            }
            Node::Powi(a, n) => self.factor(g, a, inverse != (n < 0), n.unsigned_abs()),
            _ => self.factor(g, id, inverse, 1),
        }
    }
}
