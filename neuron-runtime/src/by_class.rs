//! Arrays of any class.

use std::convert::Infallible;
use std::fmt;

/// The kind of an array in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In the data's format.
    Signal,
    /// In the format of the arithmetic.
    State,
    /// Values of a parameter.
    Parameter,
    /// Words of bits.
    Bits,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signal => "signal",
            Self::State => "state",
            Self::Parameter => "parameter",
            Self::Bits => "bits",
        })
    }
}

/// An array of any class: `S`, `R`, `P` and `B` are the types that hold arrays of each class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ByClass<S, R, P, B> {
    /// In the data's format; see [`Class::Signal`](crate::Class::Signal).
    Signal(S),
    /// In the format of the arithmetic; see [`Class::State`](crate::Class::State).
    State(R),
    /// Values of a parameter that may differ between neurons, or its gradient; see
    /// [`Extent::Parameter`](crate::Extent::Parameter).
    Parameter(P),
    /// Words of bits; see [`Class::Bits`](crate::Class::Bits).
    Bits(B),
}

impl<S, R, P, B> ByClass<S, R, P, B> {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Signal(_) => Kind::Signal,
            Self::State(_) => Kind::State,
            Self::Parameter(_) => Kind::Parameter,
            Self::Bits(_) => Kind::Bits,
        }
    }

    /// The same by reference.
    pub fn as_ref(&self) -> ByClass<&S, &R, &P, &B> {
        match self {
            Self::Signal(array) => ByClass::Signal(array),
            Self::State(array) => ByClass::State(array),
            Self::Parameter(array) => ByClass::Parameter(array),
            Self::Bits(array) => ByClass::Bits(array),
        }
    }

    /// The same by exclusive reference.
    pub fn as_mut(&mut self) -> ByClass<&mut S, &mut R, &mut P, &mut B> {
        match self {
            Self::Signal(array) => ByClass::Signal(array),
            Self::State(array) => ByClass::State(array),
            Self::Parameter(array) => ByClass::Parameter(array),
            Self::Bits(array) => ByClass::Bits(array),
        }
    }

    /// Applies the function for its class; the class stays the same.
    pub fn map<S2, R2, P2, B2>(
        self,
        signal: impl FnOnce(S) -> S2,
        state: impl FnOnce(R) -> R2,
        parameter: impl FnOnce(P) -> P2,
        bits: impl FnOnce(B) -> B2,
    ) -> ByClass<S2, R2, P2, B2> {
        match self {
            Self::Signal(array) => ByClass::Signal(signal(array)),
            Self::State(array) => ByClass::State(state(array)),
            Self::Parameter(array) => ByClass::Parameter(parameter(array)),
            Self::Bits(array) => ByClass::Bits(bits(array)),
        }
    }
}

impl<S, R, P, B, X> ByClass<Result<S, X>, Result<R, X>, Result<P, X>, Result<B, X>> {
    /// Moves the `Result` outside.
    pub(crate) fn transpose(self) -> Result<ByClass<S, R, P, B>, X> {
        Ok(match self {
            Self::Signal(array) => ByClass::Signal(array?),
            Self::State(array) => ByClass::State(array?),
            Self::Parameter(array) => ByClass::Parameter(array?),
            Self::Bits(array) => ByClass::Bits(array?),
        })
    }
}

impl<S: Length, R: Length, P: Length, B: Length> ByClass<S, R, P, B> {
    /// Its kind and the number of its elements.
    pub(crate) fn shape(&self) -> (Kind, usize) {
        let length = match self {
            Self::Signal(array) => array.length(),
            Self::State(array) => array.length(),
            Self::Parameter(array) => array.length(),
            Self::Bits(array) => array.length(),
        };
        (self.kind(), length)
    }
}

/// Something with a number of elements.
pub trait Length {
    /// The number of elements.
    fn length(&self) -> usize;
}

impl<T> Length for &[T] {
    fn length(&self) -> usize {
        self.len()
    }
}

impl<T> Length for &mut [T] {
    fn length(&self) -> usize {
        self.len()
    }
}

/// For classes that cannot occur.
impl Length for Infallible {
    fn length(&self) -> usize {
        match *self {}
    }
}
