//! Expressions at random.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::rounded;
use crate::random::ast::{Binary, Compare, Cond, Declaration, Expr, Function, V_RESET, V_THRESHOLD, Value};
use crate::random::usage::Level;

/// How deep expressions are.
const DEPTH: u32 = 3;

/// A number, negative or not.
pub fn number(value: f64) -> Expr {
    if value < 0.0 { Expr::Neg(Box::new(Expr::Number(-value))) } else { Expr::Number(value) }
}

/// `a op b`
pub fn binary(op: Binary, a: Expr, b: Expr) -> Expr {
    Expr::Binary(op, Box::new(a), Box::new(b))
}

fn call(function: Function, a: Expr) -> Expr {
    Expr::Call(function, Box::new(a))
}

fn choice(cond: Cond, a: Expr, b: Expr) -> Expr {
    Expr::If(Box::new(cond), Box::new(a), Box::new(b))
}

fn compare(op: Compare, a: Expr, b: Expr) -> Cond {
    Cond::Compare(op, Box::new(a), Box::new(b))
}

fn max(a: Expr, b: Expr) -> Expr {
    Expr::Max(Box::new(a), Box::new(b))
}

fn min(a: Expr, b: Expr) -> Expr {
    Expr::Min(Box::new(a), Box::new(b))
}

fn square(a: Expr) -> Expr {
    Expr::Power(Box::new(a), 2)
}

/// Draws expressions for one place of a declaration.
pub struct Source<'a> {
    pub rng: &'a mut ChaCha8Rng,
    /// Numbers that have a value there.
    leaves: Vec<Expr>,
    /// Conditions that have a value there.
    conditions: Vec<Cond>,
    level: Level,
    params: usize,
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
        if level >= Level::Spiked {
            leaves.extend([Expr::Spike, Expr::Spike]);
            conditions.extend([Cond::Spike, Cond::Spike, Cond::Spike]);
        }
        Self { rng, leaves, conditions, level, params: declaration.params.len() }
    }

    fn literal(&mut self) -> Expr {
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
    fn integer(&mut self, depth: u32) -> Expr {
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
        match self.rng.random_range(0..20) {
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
            _ => {
                let (a, b) = (self.literal(), self.any(next));
                binary(Binary::Mul, a, b)
            }
        }
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

    /// A rate of decay.
    fn divisor(&mut self) -> Expr {
        if self.params > V_RESET + 1 && self.rng.random_bool(0.3) {
            let param = Expr::Param(self.rng.random_range(V_RESET + 1..self.params));
            return max(param, Expr::Number(1.1));
        }
        Expr::Number(rounded(self.rng.random_range(1.2..5.0)))
    }

    /// What is charged.
    pub fn charge(&mut self) -> Expr {
        let v = Expr::State(0);
        let current = match self.rng.random_range(0..4) {
            0 => Expr::Input(0),
            1 => binary(Binary::Add, Expr::Input(0), self.bounded(DEPTH - 1)),
            2 => binary(Binary::Mul, Expr::Input(0), self.bounded(DEPTH - 1)),
            _ => self.any(DEPTH),
        };
        match self.rng.random_range(0..10) {
            0..3 => {
                let leak = binary(Binary::Sub, v.clone(), Expr::Param(V_RESET));
                let change = binary(Binary::Sub, current, leak);
                binary(Binary::Add, v, binary(Binary::Div, change, self.divisor()))
            }
            3..6 => {
                let decay = Expr::Number(rounded(self.rng.random_range(0.3..0.98)));
                binary(Binary::Add, binary(Binary::Mul, decay, v), current)
            }
            6..8 => binary(Binary::Add, call(Function::Tanh, v), current),
            8 => binary(Binary::Add, v, current),
            _ => self.any(DEPTH + 1),
        }
    }

    /// What `h` is compared with.
    pub fn threshold(&mut self) -> Expr {
        match self.rng.random_range(0..4) {
            0..3 => {
                let rise = binary(Binary::Mul, Expr::Number(0.2), self.bounded(2));
                binary(Binary::Add, Expr::Param(V_THRESHOLD), rise)
            }
            _ => self.any(2),
        }
    }

    /// What a neuron gives that does not fire.
    pub fn output(&mut self) -> Expr {
        match self.rng.random_range(0..4) {
            0 => Expr::Charged,
            1 => self.integer(2),
            _ => self.any(DEPTH),
        }
    }

    /// What a state becomes.
    pub fn update(&mut self, state: usize) -> Expr {
        let own = Expr::State(state);
        let change = self.any(DEPTH);
        let is_late = self.level == Level::Spiked;
        match self.rng.random_range(0..10) {
            0..4 => {
                let decay = Expr::Number(rounded(self.rng.random_range(0.1..0.95)));
                binary(Binary::Add, binary(Binary::Mul, decay, own), change)
            }
            4 if is_late => choice(Cond::Spike, Expr::Number(0.0), binary(Binary::Add, own, change)),
            5 if is_late => choice(Cond::Spike, change, binary(Binary::Mul, Expr::Number(0.5), own)),
            4..7 => {
                let loss = binary(Binary::Div, own.clone(), self.divisor());
                binary(Binary::Add, binary(Binary::Sub, own, loss), self.bounded(DEPTH))
            }
            7 => call(Function::Tanh, binary(Binary::Add, own, change)),
            _ => change,
        }
    }

    /// What `v` becomes, written out.
    pub fn reset(&mut self) -> Expr {
        let hard = choice(Cond::Spike, Expr::Param(V_RESET), Expr::Charged);
        match self.rng.random_range(0..8) {
            0 => max(hard, number(-1.0)),
            1 => hard,
            2 => {
                let drop = binary(Binary::Mul, Expr::Spike, self.bounded(2));
                binary(Binary::Sub, Expr::Charged, drop)
            }
            3 => choice(self.compound(2), self.bounded(2), Expr::Charged),
            4 => {
                let rest = binary(Binary::Sub, Expr::Number(1.0), Expr::Spike);
                binary(Binary::Mul, Expr::Charged, rest)
            }
            5 => self.update(0),
            _ => self.any(DEPTH),
        }
    }
}
