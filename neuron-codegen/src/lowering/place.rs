//! Where an expression stands: what it may use depends on it.

use super::scope::Symbol;

/// Where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Charge,
    Spike,
    Threshold,
    Output,
    Update,
    /// What a surrogate is the derivative of.
    Primitive,
    /// A `let`; whether it can be used somewhere is decided there.
    Let,
    /// The initial value of a state.
    Init,
    Where,
    Default,
}

impl Place {
    /// Whether an expression here can use `symbol`.
    pub fn allows(self, symbol: Symbol) -> bool {
        match self {
            Self::Charge | Self::Threshold => !matches!(symbol, Symbol::Charged | Symbol::Spike),
            Self::Spike => symbol != Symbol::Spike,
            Self::Output | Self::Update | Self::Primitive | Self::Let => true,
            Self::Init | Self::Where => matches!(symbol, Symbol::Param(_) | Symbol::Flag(_) | Symbol::Pi),
            Self::Default => matches!(symbol, Symbol::Param(_) | Symbol::Pi),
        }
    }

    /// Whether it is part of a step, where there is a surrogate.
    pub fn is_in_step(self) -> bool {
        matches!(self, Self::Charge | Self::Spike | Self::Threshold | Self::Output | Self::Update | Self::Let)
    }

    /// What it is called in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Charge => "`charge`",
            Self::Spike => "`spike`",
            Self::Threshold => "`threshold`",
            Self::Output => "`output`",
            Self::Update => "`update`",
            Self::Primitive => "`primitive`",
            Self::Let => "`let`",
            Self::Init => "the initial value of a state",
            Self::Where => "a `where` condition",
            Self::Default => "the default of a parameter",
        }
    }
}
