//! The formats that inputs, spikes and their gradients are stored in.

use std::fmt::Debug;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use neuron_abi::Format;

use crate::any::AnyCall;
use crate::rows::LANES;
use crate::{Call, Real};

/// What arrays are made of: plain numbers, all of whose bytes may have any value.
///
/// It is there for the formats of the data and for words of bits, and for nothing else.
pub trait Plain: sealed::Sealed + Copy + Debug + Default + PartialEq + Send + Sync + 'static {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! is_plain {
    ($($format:ty),*) => {$(
        impl sealed::Sealed for $format {}
        impl Plain for $format {}
    )*};
}

is_plain!(f32, f64, f16, bf16, u32);

/// A storage format: `f32`, `f64`, `half::f16` or `half::bf16`.
///
/// States and arithmetic are in [`Element::Real`]: the format itself if it is one to compute in, `f32` for
/// the two half-precision ones.
pub trait Element: Plain {
    /// The format of states and arithmetic.
    type Real: Real;

    /// Which of the formats it is.
    const FORMAT: Format;

    /// Its name: `f32`, `f64`, `f16`, `bf16`.
    const NAME: &'static str = Self::FORMAT.name();

    /// A call on data of this format, among those on data of any.
    #[doc(hidden)]
    fn any<'c, 'a>(call: Call<'c, 'a, Self>) -> AnyCall<'c, 'a>;

    /// The stored number.
    fn load(self) -> Self::Real;

    /// The nearest number that can be stored; ties to even.
    fn store(value: Self::Real) -> Self;

    /// As many numbers at once.
    #[doc(hidden)]
    #[inline(always)]
    fn load_lanes(from: &[Self; LANES]) -> [Self::Real; LANES] {
        from.map(Self::load)
    }

    /// As many numbers at once.
    #[doc(hidden)]
    #[inline(always)]
    fn store_lanes(values: &[Self::Real; LANES], to: &mut [Self; LANES]) {
        for (to, value) in to.iter_mut().zip(values) {
            *to = Self::store(*value);
        }
    }
}

macro_rules! is_real {
    ($($format:ident $variant:ident),*) => {$(
        impl Element for $format {
            type Real = Self;
            const FORMAT: Format = Format::$variant;

            fn any<'c, 'a>(call: Call<'c, 'a, Self>) -> AnyCall<'c, 'a> {
                AnyCall::$variant(call)
            }

            #[inline(always)]
            fn load(self) -> Self {
                self
            }
            #[inline(always)]
            fn store(value: Self) -> Self {
                value
            }
            // Said outright: not every loop over 64 elements becomes vector moves.
            #[inline(always)]
            fn load_lanes(from: &[Self; LANES]) -> [Self; LANES] {
                *from
            }
            #[inline(always)]
            fn store_lanes(values: &[Self; LANES], to: &mut [Self; LANES]) {
                *to = *values;
            }
        }
    )*};
}

is_real!(f32 F32, f64 F64);

macro_rules! is_half {
    ($($format:ident $variant:ident),*) => {$(
        impl Element for $format {
            type Real = f32;
            const FORMAT: Format = Format::$variant;

            fn any<'c, 'a>(call: Call<'c, 'a, Self>) -> AnyCall<'c, 'a> {
                AnyCall::$variant(call)
            }

            #[inline(always)]
            fn load(self) -> f32 {
                self.to_f32()
            }
            #[inline(always)]
            fn store(value: f32) -> Self {
                Self::from_f32(value)
            }
            // The library has instructions for whole slices, where the processor does.
            #[inline(always)]
            fn load_lanes(from: &[Self; LANES]) -> [f32; LANES] {
                let mut values = [0.0; LANES];
                from.as_slice().convert_to_f32_slice(&mut values);
                values
            }
            #[inline(always)]
            fn store_lanes(values: &[f32; LANES], to: &mut [Self; LANES]) {
                to.as_mut_slice().convert_from_f32_slice(values);
            }
        }
    )*};
}

is_half!(f16 F16, bf16 Bf16);
