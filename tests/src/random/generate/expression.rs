//! Expressions at random.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::rounded;
use crate::random::ast::{Binary, Compare, Cond, Declaration, Expr, Function, V_RESET, V_THRESHOLD, Value};
use crate::random::usage::Level;

/// How deep expressions are.
pub(super) const DEPTH: u32 = 3;

/// A number, negative or not.
pub fn number(value: f64) -> Expr {
    if value < 0.0 { Expr::Neg(Box::new(Expr::Number(-value))) } else { Expr::Number(value) }
}

/// `a op b`
pub fn binary(op: Binary, a: Expr, b: Expr) -> Expr {
    Expr::Binary(op, Box::new(a), Box::new(b))
}

pub(super) fn call(function: Function, a: Expr) -> Expr {
    Expr::Call(function, Box::new(a))
}

pub(super) fn choice(cond: Cond, a: Expr, b: Expr) -> Expr {
    Expr::If(Box::new(cond), Box::new(a), Box::new(b))
}

pub(super) fn compare(op: Compare, a: Expr, b: Expr) -> Cond {
    Cond::Compare(op, Box::new(a), Box::new(b))
}

pub(super) fn max(a: Expr, b: Expr) -> Expr {
    Expr::Max(Box::new(a), Box::new(b))
}

pub(super) fn min(a: Expr, b: Expr) -> Expr {
    Expr::Min(Box::new(a), Box::new(b))
}

pub(super) fn square(a: Expr) -> Expr {
    Expr::Power(Box::new(a), 2)
}

pub(super) fn straight_through(a: Expr, b: Expr) -> Expr {
    Expr::StraightThrough(Box::new(a), Box::new(b))
}

/// Draws expressions for one place of a declaration.
pub struct Source<'a> {
    pub rng: &'a mut ChaCha8Rng,
    /// Numbers that have a value there.
    leaves: Vec<Expr>,
    /// Conditions that have a value there.
    conditions: Vec<Cond>,
    pub(super) level: Level,
    pub(super) params: usize,
    /// Whether `spike` is a number of spikes, which is no condition.
    is_count: bool,
}

impl<'a> Source<'a> {
    /// For a place at which everything up to `level` has a value.
    pub fn new(rng: &'a mut ChaCha8Rng, declaration: &Declaration, level: Level) -> Self {
        let mut leaves: Vec<Expr> = (V_RESET + 1..declaration.params.len()).map(Expr::Param).collect();
        let mut conditions: Vec<Cond> = (0..declaration.flags.len()).map(Cond::Flag).collect();
        leaves.extend([V_THRESHOLD, V_RESET].into_iter().filter(|_| rng.random_bool(0.2)).map(Expr::Param));
        if level >= Level::Early {
            let inputs = (0..declaration.inputs.len()).map(Expr::Input);
            leaves.extend(inputs.clone().chain(inputs));
            leaves.extend((0..=declaration.states.len()).map(Expr::State));
            let levels = declaration.let_levels();
            for (i, named) in declaration.lets.iter().enumerate().filter(|(i, _)| levels[*i] <= level) {
                match named.value {
                    // More likely than others, since they are there to be used.
                    Value::Number(_) => leaves.extend([Expr::Let(i), Expr::Let(i), Expr::Let(i)]),
                    Value::Condition(_) => conditions.extend([Cond::Let(i), Cond::Let(i)]),
                }
            }
        }
        if level >= Level::Charged {
            leaves.extend([Expr::Charged, Expr::Charged]);
        }
        let is_count = declaration.has_count();
        if level >= Level::Spiked {
            leaves.extend([Expr::Spike, Expr::Spike]);
            if !is_count {
                conditions.extend([Cond::Spike, Cond::Spike, Cond::Spike]);
            }
        }
        let params = declaration.params.len();
        Self { rng, leaves, conditions, level, params, is_count }
    }

    pub(super) fn literal(&mut self) -> Expr {
        match self.rng.random_range(0..24) {
            0..4 => Expr::Number(0.5),
            4..7 => Expr::Number(1.0),
            7 => Expr::Number(0.0),
            8 => Expr::Number(2.0),
            // Where a constant may be folded to what neither language can write.
            9 if self.rng.random_bool(0.1) => Expr::Number(1e200),
            10 if self.rng.random_bool(0.1) => Expr::Number(1e-300),
            _ => number(rounded(self.rng.random_range(-1.0..2.0))),
        }
    }

    fn leaf(&mut self) -> Expr {
        if self.leaves.is_empty() || self.rng.random_bool(0.15) {
            return self.literal();
        }
        self.leaves.choose(self.rng).expect("some").clone()
    }

    /// Anything of at most this depth.
    pub fn any(&mut self, depth: u32) -> Expr {
        if depth == 0 || self.rng.random_bool(0.1) {
            return self.leaf();
        }
        let next = depth - 1;
        match self.rng.random_range(0..40) {
            0..7 => {
                let (a, b) = (self.any(next), self.any(next));
                binary(Binary::Add, a, b)
            }
            7..12 => {
                let (a, b) = (self.any(next), self.any(next));
                binary(Binary::Sub, a, b)
            }
            12..18 => {
                let (a, b) = (self.any(next), self.bounded(next));
                binary(Binary::Mul, a, b)
            }
            18..22 => self.quotient(next),
            22 => Expr::Neg(Box::new(self.any(next))),
            23 => square(self.any(next)),
            24 => {
                let n = self.rng.random_range(0..5);
                let base = self.bounded(next);
                Expr::Power(Box::new(base), n)
            }
            25 => {
                let base = binary(Binary::Add, Expr::Number(1.0), square(self.any(next)));
                Expr::Power(Box::new(base), self.rng.random_range(-3..0))
            }
            26 => self.integer(next),
            27..30 => self.choice(next),
            _ => self.bounded(depth),
        }
    }

    /// An integer.
    pub(super) fn integer(&mut self, depth: u32) -> Expr {
        let rounding = [Function::Round, Function::Floor, Function::Trunc];
        let function = *rounding.choose(self.rng).expect("some");
        call(function, self.any(depth))
    }

    /// A quotient, of which most do not divide by 0.
    fn quotient(&mut self, depth: u32) -> Expr {
        let a = self.any(depth);
        let b = match self.rng.random_range(0..10) {
            0..3 => binary(Binary::Add, Expr::Number(1.0), square(self.any(depth))),
            3..5 => max(call(Function::Abs, self.any(depth)), Expr::Number(0.5)),
            5..8 => Expr::Number(rounded(self.rng.random_range(1.2..4.0))),
            8 => binary(Binary::Add, Expr::Number(1.5), self.bounded(depth)),
            9 if self.rng.random_bool(0.5) => call(Function::Exprel, self.bounded(depth)),
            _ => self.any(depth),
        };
        binary(Binary::Div, a, b)
    }

    /// Something around -1 to 1.
    pub fn bounded(&mut self, depth: u32) -> Expr {
        if depth == 0 {
            return match self.rng.random_range(0..3) {
                0 => self.literal(),
                _ => self.leaf(),
            };
        }
        let next = depth - 1;
        match self.rng.random_range(0..24) {
            0..3 => call(Function::Tanh, self.any(next)),
            3 => call(Function::Sigmoid, self.any(next)),
            4 => call(Function::Atan, self.any(next)),
            5 => call(Function::Erf, self.any(next)),
            6 => call(Function::Sin, self.any(next)),
            7 => call(Function::Cos, self.any(next)),
            8 => {
                let low = Expr::Neg(Box::new(Expr::Number(1.0)));
                Expr::Clamp(Box::new([self.any(next), low, Expr::Number(1.5)]))
            }
            9 => min(max(self.any(next), number(-1.0)), Expr::Number(2.0)),
            10 => {
                let (a, b) = (self.any(next), self.any(next));
                if self.rng.random() { min(a, b) } else { max(a, b) }
            }
            11 => call(Function::Exp, Expr::Neg(Box::new(call(Function::Abs, self.any(next))))),
            12 => {
                let rising = [Function::Exp, Function::Expm1, Function::Exprel];
                let function = *rising.choose(self.rng).expect("some");
                call(function, min(self.any(next), Expr::Number(1.0)))
            }
            13 => match self.rng.random_range(0..4) {
                3 => call(Function::Log1p, call(Function::Abs, self.any(next))),
                0 => call(Function::Ln, binary(Binary::Add, Expr::Number(1.0), square(self.any(next)))),
                1 => call(Function::Ln, max(self.any(next), Expr::Number(0.1))),
                _ => {
                    let a = self.any(next);
                    let cond = compare(Compare::Greater, a.clone(), Expr::Number(0.0));
                    choice(cond, call(Function::Ln, a), Expr::Number(0.0))
                }
            },
            14 => match self.rng.random_range(0..3) {
                0 => call(Function::Sqrt, binary(Binary::Add, Expr::Number(1.0), square(self.any(next)))),
                1 => call(Function::Sqrt, call(Function::Abs, self.any(next))),
                _ => {
                    let a = self.any(next);
                    let cond = compare(Compare::Greater, a.clone(), Expr::Number(0.0));
                    choice(cond, call(Function::Sqrt, a), Expr::Number(0.0))
                }
            },
            15 => call(Function::Abs, self.any(next)),
            16 if self.rng.random_bool(0.3) => {
                let wild = [Function::Exp, Function::Ln, Function::Expm1, Function::Log1p, Function::Sqrt];
                call(*wild.choose(self.rng).expect("some"), self.any(next))
            }
            16..18 => self.choice(next),
            18..20 if self.level > Level::Constant => self.heaviside(next),
            20 => Expr::Detach(Box::new(self.any(next))),
            21 => match self.rng.random_range(0..3) {
                0 => straight_through(self.integer(next), self.bounded(next)),
                1 => straight_through(self.bounded(next), self.bounded(next)),
                _ => straight_through(self.choice(next), self.any(next)),
            },
            _ => {
                let (a, b) = (self.literal(), self.any(next));
                binary(Binary::Mul, a, b)
            }
        }
    }

    /// A step function, most of them of what may be on either side of it.
    pub fn heaviside(&mut self, depth: u32) -> Expr {
        let orders = [Compare::Less, Compare::LessEqual, Compare::Greater, Compare::GreaterEqual];
        let op = *orders.choose(self.rng).expect("some");
        let a = self.any(depth);
        let b = match self.rng.random_range(0..10) {
            0..6 => self.literal(),
            6 => Expr::Detach(Box::new(self.any(depth))),
            _ => self.bounded(depth),
        };
        let (a, b) = if self.rng.random_bool(0.2) { (b, a) } else { (a, b) };
        Expr::Heaviside(op, Box::new(a), Box::new(b))
    }

    /// Whether the neuron fires, for a choice.
    pub(super) fn fired(&self) -> Cond {
        if self.is_count { compare(Compare::Greater, Expr::Spike, Expr::Number(0.0)) } else { Cond::Spike }
    }

    fn choice(&mut self, depth: u32) -> Expr {
        let (cond, a, b) = (self.compound(depth.min(2)), self.any(depth), self.any(depth));
        if self.rng.random_bool(0.2) {
            let (cond, c) = (self.compound(1), self.any(depth.min(1)));
            return choice(cond, c, choice(self.compound(1), a, b));
        }
        choice(cond, a, b)
    }

    /// A condition with at least one operator, or a name.
    pub fn compound(&mut self, depth: u32) -> Cond {
        let next = depth.saturating_sub(1);
        match self.rng.random_range(0..12) {
            0..4 if !self.conditions.is_empty() => self.conditions.choose(self.rng).expect("some").clone(),
            4 if depth > 0 => Cond::Not(Box::new(self.compound(next))),
            5..7 if depth > 0 => Cond::And(Box::new(self.compound(next)), Box::new(self.compound(next))),
            7 if depth > 0 => Cond::Or(Box::new(self.compound(next)), Box::new(self.compound(next))),
            _ => {
                let op = match self.rng.random_range(0..10) {
                    0..3 => Compare::Less,
                    3 => Compare::LessEqual,
                    4..7 => Compare::Greater,
                    7 => Compare::GreaterEqual,
                    8 => Compare::Equal,
                    _ => Compare::NotEqual,
                };
                let a = self.any(depth.min(1));
                let b = if self.rng.random_bool(0.6) { self.literal() } else { self.leaf() };
                compare(op, a, b)
            }
        }
    }

    /// What a `let` stands for: not a mere name, most of the time.
    pub fn named(&mut self) -> Expr {
        match self.rng.random_range(0..12) {
            0 => self.leaf(),
            // A power of the last one: chains.
            1..3 => {
                let a = self.leaf();
                binary(Binary::Mul, a.clone(), a)
            }
            3 if self.level == Level::Spiked => {
                let a = self.leaf();
                let divisor = binary(Binary::Add, Expr::Number(1.0), square(self.leaf()));
                binary(Binary::Div, binary(Binary::Add, a, Expr::Spike), divisor)
            }
            _ => self.any(DEPTH),
        }
    }
}
