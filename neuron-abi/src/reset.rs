//! Reset modes.

use std::fmt;

/// How the membrane potential is reset after a spike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reset {
    /// `V[t] = S[t] V_reset + (1 - S[t]) H[t]`
    Hard,
    /// `V[t] = H[t] - S[t] V_threshold`
    Soft,
    /// `V[t] = H[t]`
    None,
    /// As declared by `update v = ...`
    Custom,
}

impl Reset {
    /// All modes, in the order in which documentation and tables list them.
    pub const ALL: [Self; 4] = [Self::Hard, Self::Soft, Self::None, Self::Custom];

    /// The modes that `reset` can name in a declaration.
    pub const NAMED: [Self; 3] = [Self::Hard, Self::Soft, Self::None];

    /// The keyword in a declaration.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            other => other.word(),
        }
    }

    /// The word before `reset` in English: `hard`, `no`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::None => "no",
            Self::Custom => "custom",
        }
    }

    /// The prefix of its kernels' names: `hard_reset_`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Hard => "hard_reset_",
            Self::Soft => "soft_reset_",
            Self::None => "no_reset_",
            Self::Custom => "custom_reset_",
        }
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_made_of_words() {
        for reset in Reset::ALL {
            assert_eq!(reset.prefix(), format!("{reset}_reset_"));
        }
    }
}
