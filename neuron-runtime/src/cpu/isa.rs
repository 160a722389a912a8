//! Selects the instruction set.
//!
//! The same code is compiled for each; nothing is fused or reordered, so results are bit-identical.

use std::cell::Cell;
use std::sync::OnceLock;

/// An instruction set that this processor supports. There are no values for others, so it is safe to run code compiled
/// for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Isa(pub(crate) Level);

/// The instruction sets that code is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Level {
    /// The instructions of every processor of the architecture.
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// F, BW, DQ and VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The instructions of every processor of the architecture.
    pub const BASELINE: Self = Self(Level::Baseline);

    /// The instruction sets that this processor supports, the best one last.
    pub fn available() -> &'static [Self] {
        static AVAILABLE: OnceLock<Vec<Isa>> = OnceLock::new();
        AVAILABLE.get_or_init(|| {
            #[allow(unused_mut)]
            let mut all = vec![Self::BASELINE];
            #[cfg(target_arch = "x86_64")]
            {
                if is_x86_feature_detected!("avx2") {
                    all.push(Self(Level::Avx2));
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                {
                    all.push(Self(Level::Avx512));
                }
            }
            all
        })
    }

    /// Its name: `AVX2`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Level::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "AVX-512",
        }
    }

    /// The set in use: the best available, unless [`Isa::with`] selects another.
    pub fn current() -> Self {
        FORCED.get().unwrap_or(*Self::available().last().expect("at least the baseline"))
    }

    /// Runs `work`, in which calls from this thread use `self`: for tests that compare instruction sets.
    #[doc(hidden)]
    pub fn with<A>(self, work: impl FnOnce() -> A) -> A {
        struct Restore(Option<Isa>);
        impl Drop for Restore {
            fn drop(&mut self) {
                FORCED.set(self.0);
            }
        }
        let _restore = Restore(FORCED.replace(Some(self)));
        work()
    }
}

thread_local! {
    static FORCED: Cell<Option<Isa>> = const { Cell::new(None) };
}

/// Defines `fn NAME(isa, args..)` that runs an inlined body compiled for `isa`.
macro_rules! dispatch {
    ($(#[$doc:meta])* fn $name:ident<$($generic:ident: $bound:path),*>($($arg:ident: $type:ty),* $(,)?) => $body:path) => {
        $(#[$doc])*
        fn $name<$($generic: $bound),*>(isa: $crate::cpu::isa::Isa, $($arg: $type),*) {
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

            match isa.0 {
                $crate::cpu::isa::Level::Baseline => $body($($arg),*),
                #[cfg(target_arch = "x86_64")]
                // SAFETY: an `Isa` only exists for what the processor supports.
                $crate::cpu::isa::Level::Avx2 => unsafe { avx2::<$($generic),*>($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above.
                $crate::cpu::isa::Level::Avx512 => unsafe { avx512::<$($generic),*>($($arg),*) },
            }
        }
    };
}

pub(crate) use dispatch;
