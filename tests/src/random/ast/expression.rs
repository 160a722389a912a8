//! Numbers and conditions, which are different types: an expression is well-typed by construction.

use serde::{Deserialize, Serialize};

/// A number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// Not negative.
    Number(f64),
    /// Parameter of that index.
    Param(usize),
    /// Input of that index.
    Input(usize),
    /// `v`, or the state of index less 1.
    State(usize),
    /// `let` of that index, which is a number.
    Let(usize),
    /// `h`
    Charged,
    /// `spike` as a number.
    Spike,
    /// `-a`
    Neg(Box<Expr>),
    /// `a + b` and the like.
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// `a^n`
    Power(Box<Expr>, i32),
    /// `exp(a)` and the like.
    Call(Function, Box<Expr>),
    /// `min(a, b)`
    Min(Box<Expr>, Box<Expr>),
    /// `max(a, b)`
    Max(Box<Expr>, Box<Expr>),
    /// `clamp(a, low, high)`
    Clamp(Box<[Expr; 3]>),
    /// `if c { a } else { b }`
    If(Box<Cond>, Box<Expr>, Box<Expr>),
    /// `heaviside(a > b)` and the like: `==` and `!=` are no step functions.
    Heaviside(Compare, Box<Expr>, Box<Expr>),
    /// `straight_through(a, b)`
    StraightThrough(Box<Expr>, Box<Expr>),
    /// `detach(a)`
    Detach(Box<Expr>),
}

/// Operators between numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Binary {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
}

/// Functions of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Function {
    Exp,
    Ln,
    Expm1,
    Log1p,
    Exprel,
    Sqrt,
    Tanh,
    Sigmoid,
    Atan,
    Erf,
    Sin,
    Cos,
    Abs,
    Round,
    Floor,
    Trunc,
}

impl Function {
    /// Whether it makes a number an integer.
    pub fn is_rounding(self) -> bool {
        matches!(self, Self::Round | Self::Floor | Self::Trunc)
    }
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Compare {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Cond {
    /// Flag of that index.
    Flag(usize),
    /// `let` of that index, which is a condition.
    Let(usize),
    /// `spike` as a condition.
    Spike,
    /// `a < b` and the like.
    Compare(Compare, Box<Expr>, Box<Expr>),
    /// `!a`
    Not(Box<Cond>),
    /// `a && b`
    And(Box<Cond>, Box<Cond>),
    /// `a || b`
    Or(Box<Cond>, Box<Cond>),
}

/// A number or a condition, for walks over both.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A number.
    Expr(&'a Expr),
    /// A condition.
    Cond(&'a Cond),
}

impl<'a> Part<'a> {
    /// What it is made of.
    pub fn operands(self) -> Vec<Part<'a>> {
        use Part::{Cond as C, Expr as E};
        match self {
            E(Expr::Neg(a) | Expr::Power(a, _) | Expr::Call(_, a) | Expr::Detach(a)) => vec![E(a)],
            E(Expr::Binary(_, a, b) | Expr::Min(a, b) | Expr::Max(a, b)) => vec![E(a), E(b)],
            E(Expr::Heaviside(_, a, b) | Expr::StraightThrough(a, b)) => vec![E(a), E(b)],
            E(Expr::Clamp(parts)) => parts.iter().map(E).collect(),
            E(Expr::If(c, a, b)) => vec![C(c), E(a), E(b)],
            C(Cond::Compare(_, a, b)) => vec![E(a), E(b)],
            C(Cond::Not(a)) => vec![C(a)],
            C(Cond::And(a, b) | Cond::Or(a, b)) => vec![C(a), C(b)],
            E(_) | C(_) => Vec::new(),
        }
    }

    /// Calls `visit` with this and everything in it.
    pub fn walk(self, visit: &mut impl FnMut(Part<'a>)) {
        visit(self);
        self.operands().into_iter().for_each(|part| part.walk(visit));
    }
}

/// An expression and a condition that can be put in the place of a part.
pub trait Rewrite {
    /// In place of a number, or `None` to look into it.
    fn expr(&mut self, expr: &Expr) -> Option<Expr>;
    /// In place of a condition, or `None` to look into it.
    fn cond(&mut self, cond: &Cond) -> Option<Cond>;
}

impl Expr {
    /// With parts replaced, outermost first.
    pub fn rewrite(&self, by: &mut impl Rewrite) -> Self {
        if let Some(replaced) = by.expr(self) {
            return replaced;
        }
        let mut of = |a: &Self| a.rewrite(by);
        match self {
            Self::Neg(a) => Self::Neg(Box::new(of(a))),
            Self::Power(a, n) => Self::Power(Box::new(of(a)), *n),
            Self::Call(function, a) => Self::Call(*function, Box::new(of(a))),
            Self::Binary(op, a, b) => Self::Binary(*op, Box::new(of(a)), Box::new(of(b))),
            Self::Min(a, b) => Self::Min(Box::new(of(a)), Box::new(of(b))),
            Self::Max(a, b) => Self::Max(Box::new(of(a)), Box::new(of(b))),
            Self::Heaviside(op, a, b) => Self::Heaviside(*op, Box::new(of(a)), Box::new(of(b))),
            Self::StraightThrough(a, b) => Self::StraightThrough(Box::new(of(a)), Box::new(of(b))),
            Self::Detach(a) => Self::Detach(Box::new(of(a))),
            Self::Clamp(parts) => Self::Clamp(Box::new(parts.each_ref().map(of))),
            Self::If(c, a, b) => {
                let c = c.rewrite(by);
                let mut of = |a: &Self| a.rewrite(by);
                Self::If(Box::new(c), Box::new(of(a)), Box::new(of(b)))
            }
            leaf => leaf.clone(),
        }
    }
}

impl Cond {
    /// With parts replaced, outermost first.
    pub fn rewrite(&self, by: &mut impl Rewrite) -> Self {
        if let Some(replaced) = by.cond(self) {
            return replaced;
        }
        match self {
            Self::Compare(op, a, b) => Self::Compare(*op, Box::new(a.rewrite(by)), Box::new(b.rewrite(by))),
            Self::Not(a) => Self::Not(Box::new(a.rewrite(by))),
            Self::And(a, b) => Self::And(Box::new(a.rewrite(by)), Box::new(b.rewrite(by))),
            Self::Or(a, b) => Self::Or(Box::new(a.rewrite(by)), Box::new(b.rewrite(by))),
            leaf => leaf.clone(),
        }
    }
}
