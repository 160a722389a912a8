//! A [`Declaration`] as the text between the braces of `neuron!`, with no more parentheses than it needs, so that
//! precedence is tested too.

use std::fmt::{self, Display, Formatter};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::ast::{
    After, Binary, Compare, Cond, Declaration, Expr, Firing, Function, ParamKind, Reset, Value,
};

/// How strongly an operand has to bind.
mod level {
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const COMPARE: u8 = 3;
    pub const SUM: u8 = 4;
    pub const PRODUCT: u8 = 5;
    pub const UNARY: u8 = 6;
    pub const POWER: u8 = 7;
    pub const ATOM: u8 = 8;
}

impl Function {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Ln => "ln",
            Self::Expm1 => "expm1",
            Self::Log1p => "log1p",
            Self::Exprel => "exprel",
            Self::Sqrt => "sqrt",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Atan => "atan",
            Self::Erf => "erf",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Abs => "abs",
            Self::Round => "round",
            Self::Floor => "floor",
            Self::Trunc => "trunc",
        }
    }
}

impl Compare {
    fn text(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl ParamKind {
    /// The word that declares it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scalar => "param",
            Self::Array => "array",
            Self::Learnable => "learnable",
        }
    }
}

impl Reset {
    fn word(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::None => "none",
        }
    }
}

/// Writes expressions with the names of a declaration.
#[derive(Clone, Copy)]
struct Writer<'a>(&'a Declaration);

impl Writer<'_> {
    fn expr(self, expr: &Expr, least: u8) -> String {
        let (text, binds) = self.bare(expr);
        if binds < least { format!("({text})") } else { text }
    }

    fn bare(self, expr: &Expr) -> (String, u8) {
        let Self(declaration) = self;
        let atom = |name: &str| (name.to_owned(), level::ATOM);
        let all =
            |parts: &[&Expr]| parts.iter().map(|part| self.expr(part, 0)).collect::<Vec<_>>().join(", ");
        match expr {
            Expr::Number(value) => (format!("{value:?}"), level::ATOM),
            Expr::Param(i) => atom(&declaration.params[*i].name),
            Expr::Input(i) => atom(&declaration.inputs[*i]),
            Expr::State(0) => atom("v"),
            Expr::State(i) => atom(&declaration.states[i - 1].name),
            Expr::Let(i) => atom(&declaration.lets[*i].name),
            Expr::Charged => atom("h"),
            Expr::Spike => atom("spike"),
            Expr::Neg(a) => (format!("-{}", self.expr(a, level::UNARY)), level::UNARY),
            Expr::Binary(op, a, b) => {
                let (text, binds) = match op {
                    Binary::Add => ("+", level::SUM),
                    Binary::Sub => ("-", level::SUM),
                    Binary::Mul => ("*", level::PRODUCT),
                    Binary::Div => ("/", level::PRODUCT),
                };
                (format!("{} {text} {}", self.expr(a, binds), self.expr(b, binds + 1)), binds)
            }
            Expr::Power(a, n) => (format!("{}^{n}", self.expr(a, level::ATOM)), level::POWER),
            Expr::Call(function, a) => atom(&format!("{}({})", function.name(), all(&[a]))),
            Expr::Min(a, b) => atom(&format!("min({})", all(&[a, b]))),
            Expr::Max(a, b) => atom(&format!("max({})", all(&[a, b]))),
            Expr::Clamp(parts) => {
                let [a, low, high] = &**parts;
                atom(&format!("clamp({})", all(&[a, low, high])))
            }
            Expr::If(cond, a, b) => {
                let (cond, a) = (self.cond(cond, 0), self.expr(a, 0));
                let b = match &**b {
                    Expr::If(..) => self.bare(b).0,
                    b => format!("{{ {} }}", self.expr(b, 0)),
                };
                atom(&format!("if {cond} {{ {a} }} else {b}"))
            }
            Expr::Heaviside(op, a, b) => atom(&format!("heaviside({})", self.comparison(*op, a, b))),
            Expr::StraightThrough(a, b) => atom(&format!("straight_through({})", all(&[a, b]))),
            Expr::Detach(a) => atom(&format!("detach({})", all(&[a]))),
        }
    }

    fn comparison(self, op: Compare, a: &Expr, b: &Expr) -> String {
        let [a, b] = [a, b].map(|part| self.expr(part, level::SUM));
        format!("{a} {} {b}", op.text())
    }

    fn cond(self, cond: &Cond, least: u8) -> String {
        let Self(declaration) = self;
        let (text, binds) = match cond {
            Cond::Flag(i) => (declaration.flags[*i].name.clone(), level::ATOM),
            Cond::Let(i) => (declaration.lets[*i].name.clone(), level::ATOM),
            Cond::Spike => ("spike".to_owned(), level::ATOM),
            Cond::Compare(op, a, b) => (self.comparison(*op, a, b), level::COMPARE),
            Cond::Not(a) => (format!("!{}", self.cond(a, level::UNARY)), level::UNARY),
            Cond::And(a, b) => {
                (format!("{} && {}", self.cond(a, level::AND), self.cond(b, level::COMPARE)), level::AND)
            }
            Cond::Or(a, b) => {
                (format!("{} || {}", self.cond(a, level::OR), self.cond(b, level::AND)), level::OR)
            }
        };
        if binds < least { format!("({text})") } else { text }
    }

    fn items(self) -> Vec<String> {
        let Self(declaration) = self;
        let mut items = Vec::new();
        for param in declaration.params.iter().filter(|param| param.is_declared) {
            let conditions: Vec<_> = param.conditions.iter().map(|cond| self.cond(cond, 0)).collect();
            let range = if conditions.is_empty() {
                String::new()
            } else {
                format!(" where {}", conditions.join(", "))
            };
            let (word, name, default) = (param.kind.word(), &param.name, self.expr(&param.default, 0));
            items.push(format!("{word} {name} = {default}{range};"));
        }
        for flag in &declaration.flags {
            items.push(format!("flag {} = {};", flag.name, flag.default));
        }
        if declaration.inputs != ["x"] {
            items.push(format!("input {};", declaration.inputs.join(", ")));
        }
        let equation = |left: &str, right: &Expr| format!("{left} = {};", self.expr(right, 0));
        items.extend(declaration.initial_v.iter().map(|initial| equation("state v", initial)));
        for state in &declaration.states {
            items.push(equation(&format!("state {}", state.name), &state.initial));
        }
        for named in &declaration.lets {
            let value = match &named.value {
                Value::Number(value) => self.expr(value, 0),
                Value::Condition(value) => self.cond(value, 0),
            };
            items.push(format!("let {} = {value};", named.name));
        }
        items.push(equation("charge", &declaration.charge));
        match &declaration.firing {
            Some(Firing::Threshold(Some(threshold))) => items.push(equation("threshold", threshold)),
            Some(Firing::Spike(Expr::Heaviside(op, a, b))) => {
                items.push(format!("spike = {};", self.comparison(*op, a, b)));
            }
            Some(Firing::Spike(spike)) => items.push(equation("spike", spike)),
            Some(Firing::Threshold(None)) | None => {}
        }
        items.extend(declaration.output.iter().map(|output| equation("output", output)));
        for state in &declaration.states {
            items.push(equation(&format!("update {}", state.name), &state.update));
        }
        match &declaration.after {
            After::Resets(resets) => {
                let modes: Vec<_> = resets.iter().map(|reset| reset.word()).collect();
                items.push(format!("reset {};", modes.join(" | ")));
            }
            After::Update(update) => items.push(equation("update v", update)),
            After::Charged => {}
        }
        if let Some(seed) = declaration.order {
            items.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        }
        items
    }
}

impl Display for Declaration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "pub struct {} {{", self.name)?;
        for item in Writer(self).items() {
            writeln!(f, "    {item}")?;
        }
        f.write_str("}")
    }
}
