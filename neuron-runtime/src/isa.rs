//! Which vector instructions to use.
//!
//! The same code is compiled for each set; nothing is fused or reordered, so results are the same bits.

use std::cell::Cell;
use std::sync::OnceLock;

/// An instruction set that code is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Isa {
    /// What every processor of the architecture has.
    Baseline,
    /// AVX2 on x86-64.
    Avx2,
    /// AVX-512 (F, BW, DQ, VL) on x86-64.
    Avx512,
}

impl Isa {
    /// The sets that this processor has.
    pub fn available() -> &'static [Self] {
        static AVAILABLE: OnceLock<Vec<Isa>> = OnceLock::new();
        AVAILABLE.get_or_init(|| {
            #[allow(unused_mut)]
            let mut all = vec![Self::Baseline];
            #[cfg(target_arch = "x86_64")]
            {
                if is_x86_feature_detected!("avx2") {
                    all.push(Self::Avx2);
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                {
                    all.push(Self::Avx512);
                }
            }
            all
        })
    }

    /// The set to use: the best there is, unless [`Isa::with`] says otherwise.
    pub(crate) fn current() -> Self {
        FORCED.get().unwrap_or(*Self::available().last().expect("at least the baseline"))
    }

    /// Runs `work` with kernels that it calls on this thread using `self`, if the processor has it.
    #[doc(hidden)]
    pub fn with<A>(self, work: impl FnOnce() -> A) -> A {
        let before = FORCED.replace(Self::available().contains(&self).then_some(self));
        let result = work();
        FORCED.set(before);
        result
    }
}

thread_local! {
    static FORCED: Cell<Option<Isa>> = const { Cell::new(None) };
}

/// Defines `fn NAME(isa, args..)` that runs an inlined body compiled for `isa`.
macro_rules! dispatch {
    ($(#[$doc:meta])* fn $name:ident<$($generic:ident: $bound:path),*>($($arg:ident: $type:ty),* $(,)?) => $body:path) => {
        $(#[$doc])*
        fn $name<$($generic: $bound),*>(isa: $crate::isa::Isa, $($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2<$($generic: $bound),*>($($arg: $type),*) {
                $body($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
            fn avx512<$($generic: $bound),*>($($arg: $type),*) {
                $body($($arg),*)
            }

            match isa {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `Isa::current` only gives sets that the processor has.
                $crate::isa::Isa::Avx2 => unsafe { avx2::<$($generic),*>($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                $crate::isa::Isa::Avx512 => unsafe { avx512::<$($generic),*>($($arg),*) },
                _ => $body($($arg),*),
            }
        }
    };
}

pub(crate) use dispatch;
