//! A declaration as data: well-typed by construction, since numbers and conditions are different types and
//! names are indices into what declares them.

use serde::{Deserialize, Serialize};

/// Index of `v_threshold` among the parameters.
pub const V_THRESHOLD: usize = 0;
/// Index of `v_reset` among the parameters.
pub const V_RESET: usize = 1;

/// What values a parameter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParamKind {
    /// `param`
    Scalar,
    /// `array`
    Array,
    /// `learnable`
    Learnable,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Whether there is an item for it. Only `v_threshold` and `v_reset` exist without one.
    pub is_declared: bool,
    /// Which item that is.
    pub kind: ParamKind,
    /// Its name.
    pub name: String,
    /// Numbers and parameters of lower index, the built-in ones excepted.
    pub default: Expr,
    /// Over parameters and flags.
    pub conditions: Vec<Cond>,
}

/// A flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// Its name.
    pub name: String,
    /// Its default.
    pub default: bool,
}

/// A state besides `v`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Over parameters and flags.
    pub initial: Expr,
    /// Over everything.
    pub update: Expr,
}

/// A named expression. It uses only those of lower index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Let {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub value: Value,
}

/// What a `let` stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A number.
    Number(Expr),
    /// A condition.
    Condition(Cond),
}

/// A mode that `reset` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reset {
    /// `hard`
    Hard,
    /// `soft`
    Soft,
    /// `none`
    None,
}

/// What leaves the neuron, and what becomes of `v`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// It fires: a threshold of its own, if any; at least one reset.
    Fires(Option<Expr>, Vec<Reset>),
    /// It fires: a threshold of its own, if any; the potential after the step.
    FiresWithUpdate(Option<Expr>, Expr),
    /// It gives a number; the potential after the step, if that is not `h`.
    Gives(Expr, Option<Expr>),
}

/// A neuron.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declaration {
    /// Name of the struct.
    pub name: String,
    /// `v_threshold`, `v_reset`, and others.
    pub params: Vec<Param>,
    /// Flags.
    pub flags: Vec<Flag>,
    /// Names of the inputs, at least one.
    pub inputs: Vec<String>,
    /// States besides `v`.
    pub states: Vec<State>,
    /// Named expressions.
    pub lets: Vec<Let>,
    /// The charged potential.
    pub charge: Expr,
    /// The rest of the step.
    pub kind: Kind,
    /// If given, items are written in an order drawn with it.
    pub order: Option<u64>,
}

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
            E(Expr::Neg(a) | Expr::Power(a, _) | Expr::Call(_, a)) => vec![E(a)],
            E(Expr::Binary(_, a, b) | Expr::Min(a, b) | Expr::Max(a, b)) => vec![E(a), E(b)],
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

impl Declaration {
    /// Whether it fires.
    pub fn fires(&self) -> bool {
        !matches!(self.kind, Kind::Gives(..))
    }

    /// How many ways it has to reset, among them none and its own.
    pub fn resets(&self) -> usize {
        match &self.kind {
            Kind::Fires(_, resets) => resets.len(),
            Kind::FiresWithUpdate(..) | Kind::Gives(..) => 1,
        }
    }

    /// Every expression and condition, each with what it belongs to.
    pub fn parts(&self) -> Vec<(Owner, Part<'_>)> {
        let mut parts = Vec::new();
        for (i, param) in self.params.iter().enumerate().filter(|(_, param)| param.is_declared) {
            parts.push((Owner::Param(i), Part::Expr(&param.default)));
            parts.extend(param.conditions.iter().map(|cond| (Owner::Param(i), Part::Cond(cond))));
        }
        for state in &self.states {
            parts.push((Owner::Step, Part::Expr(&state.initial)));
            parts.push((Owner::Step, Part::Expr(&state.update)));
        }
        for (i, named) in self.lets.iter().enumerate() {
            parts.push((
                Owner::Let(i),
                match &named.value {
                    Value::Number(value) => Part::Expr(value),
                    Value::Condition(value) => Part::Cond(value),
                },
            ));
        }
        parts.push((Owner::Step, Part::Expr(&self.charge)));
        let more = match &self.kind {
            Kind::Fires(threshold, _) => vec![threshold.as_ref()],
            Kind::FiresWithUpdate(threshold, update) => vec![threshold.as_ref(), Some(update)],
            Kind::Gives(output, update) => vec![Some(output), update.as_ref()],
        };
        parts.extend(more.into_iter().flatten().map(|expr| (Owner::Step, Part::Expr(expr))));
        parts
    }

    /// With parts replaced everywhere, outermost first.
    pub fn rewrite(&self, by: &mut impl Rewrite) -> Self {
        let mut new = self.clone();
        for param in new.params.iter_mut().filter(|param| param.is_declared) {
            param.default = param.default.rewrite(by);
            param.conditions.iter_mut().for_each(|cond| *cond = cond.rewrite(by));
        }
        for state in &mut new.states {
            state.initial = state.initial.rewrite(by);
            state.update = state.update.rewrite(by);
        }
        for named in &mut new.lets {
            match &mut named.value {
                Value::Number(value) => *value = value.rewrite(by),
                Value::Condition(value) => *value = value.rewrite(by),
            }
        }
        new.charge = new.charge.rewrite(by);
        let (first, second) = match &mut new.kind {
            Kind::Fires(threshold, _) => (threshold.as_mut(), None),
            Kind::FiresWithUpdate(threshold, update) => (threshold.as_mut(), Some(update)),
            Kind::Gives(output, update) => (Some(output), update.as_mut()),
        };
        [first, second].into_iter().flatten().for_each(|expr| *expr = expr.rewrite(by));
        new
    }

    /// Nodes of its expressions.
    pub fn nodes(&self) -> usize {
        let mut count = 0;
        self.parts().into_iter().for_each(|(_, part)| part.walk(&mut |_| count += 1));
        count
    }

    /// Every name that was given, in a fixed order, the struct's first.
    pub fn names_mut(&mut self) -> Vec<&mut String> {
        let mut names = vec![&mut self.name];
        names.extend(self.params.iter_mut().skip(2).map(|param| &mut param.name));
        names.extend(self.flags.iter_mut().map(|flag| &mut flag.name));
        names.extend(&mut self.inputs);
        names.extend(self.states.iter_mut().map(|state| &mut state.name));
        names.extend(self.lets.iter_mut().map(|named| &mut named.name));
        names
    }
}

/// What an expression belongs to, as far as uses of names are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The parameter of that index.
    Param(usize),
    /// The `let` of that index.
    Let(usize),
    /// A step's equations and initial values.
    Step,
}
