//! The formats that inputs, spikes and their gradients are stored in.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use neuron_abi::Format;

use super::sealed::Sealed;
use super::{AnyFormat, Element, LANES, PerFormat, Plain};

macro_rules! is_plain {
    ($($format:ty),*) => {$(
        impl Sealed for $format {}
        impl Plain for $format {}
    )*};
}

is_plain!(f32, f64, f16, bf16, u32);

macro_rules! is_real {
    ($($format:ident $variant:ident),*) => {$(
        impl Element for $format {
            type Real = Self;
            const FORMAT: Format = Format::$variant;

            fn any<F: PerFormat>(value: F::Of<Self>) -> AnyFormat<F> {
                AnyFormat::$variant(value)
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

            fn any<F: PerFormat>(value: F::Of<Self>) -> AnyFormat<F> {
                AnyFormat::$variant(value)
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
