//! Expressions as written: a tree with spans, nothing resolved.

use std::fmt;

use proc_macro2::Ident;

use crate::report::Extent;

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub extent: Extent,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A number and its text.
    Number(f64, String),
    /// `true` or `false`.
    Bool(bool),
    /// A name.
    Name(Ident),
    /// `-a`
    Neg(Box<Expr>),
    /// `!a`
    Not(Box<Expr>),
    /// `a + b` and the like.
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// `a^2`
    Power(Box<Expr>, i32),
    /// `exp(a)`
    Call(Ident, Vec<Expr>),
    /// `if cond { a } else { b }`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `(a)`
    Paren(Box<Expr>),
    /// Something wrong, which has been reported, made of these parts.
    Wrong(Vec<Expr>),
}

/// Operators between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `&&`
    And,
    /// `||`
    Or,
}

impl Binary {
    /// All operators.
    const ALL: [Self; 12] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
        Self::Eq,
        Self::Ne,
        Self::And,
        Self::Or,
    ];

    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::And => "&&",
            Self::Or => "||",
        }
    }

    /// The operator written so.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.text() == text)
    }

    /// How strongly it binds, as in Rust.
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Lt | Self::Le | Self::Gt | Self::Ge | Self::Eq | Self::Ne => 3,
            Self::Add | Self::Sub => 4,
            Self::Mul | Self::Div => 5,
        }
    }

    /// Whether it compares two numbers.
    pub fn is_comparison(self) -> bool {
        self.precedence() == 3
    }
}

impl Expr {
    /// The expression without parentheses around it.
    pub fn bare(&self) -> &Self {
        match &self.kind {
            ExprKind::Paren(inner) => inner.bare(),
            _ => self,
        }
    }

    /// The expressions it is made of.
    pub fn operands(&self) -> Vec<&Self> {
        match &self.kind {
            ExprKind::Number(..) | ExprKind::Bool(_) | ExprKind::Name(_) => vec![],
            ExprKind::Neg(a) | ExprKind::Not(a) | ExprKind::Power(a, _) | ExprKind::Paren(a) => vec![a],
            ExprKind::Binary(_, a, b) => vec![a, b],
            ExprKind::Call(_, args) | ExprKind::Wrong(args) => args.iter().collect(),
            ExprKind::If(c, a, b) => vec![c, a, b],
        }
    }

    /// Appends the names in it, but for those of functions.
    pub fn names<'a>(&'a self, names: &mut Vec<&'a Ident>) {
        if let ExprKind::Name(name) = &self.kind {
            names.push(name);
        }
        self.operands().into_iter().for_each(|operand| operand.names(names));
    }

    /// Whether it, as an operand, needs no parentheses.
    pub fn is_atom(&self) -> bool {
        matches!(
            self.kind,
            ExprKind::Number(..) | ExprKind::Name(_) | ExprKind::Call(..) | ExprKind::Paren(_)
        )
    }
}

impl fmt::Display for Expr {
    /// The expression in the DSL's own formatting.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(_, text) => f.write_str(text),
            ExprKind::Bool(value) => write!(f, "{value}"),
            ExprKind::Name(name) => write!(f, "{name}"),
            ExprKind::Neg(a) => write!(f, "-{a}"),
            ExprKind::Not(a) => write!(f, "!{a}"),
            ExprKind::Binary(op, a, b) => write!(f, "{a} {} {b}", op.text()),
            ExprKind::Power(a, n) => write!(f, "{a}^{n}"),
            ExprKind::Call(name, args) => {
                write!(f, "{name}(")?;
                for (i, arg) in args.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{arg}")?;
                }
                f.write_str(")")
            }
            ExprKind::If(c, a, b) => match &b.kind {
                ExprKind::If(..) => write!(f, "if {c} {{ {a} }} else {b}"),
                _ => write!(f, "if {c} {{ {a} }} else {{ {b} }}"),
            },
            ExprKind::Paren(a) => write!(f, "({a})"),
            ExprKind::Wrong(_) => f.write_str("..."),
        }
    }
}
