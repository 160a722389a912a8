//! The neurons of this crate as a table, to be chosen from at run time.

use neuron_runtime::{DeclaredNeuron, Neuron, Spec};

/// Hands the types of all neurons of this crate to a macro: `with_zoo!(name)` is `name!(If, Lif, ...)`.
///
/// ```
/// macro_rules! count {
///     ($($neuron:ident),+) => { [$(stringify!($neuron)),+].len() };
/// }
/// assert_eq!(neurons::with_zoo!(count), neurons::zoo::SPECS.len());
/// ```
#[macro_export]
macro_rules! with_zoo {
    ($callback:ident) => {
        $callback! {
            If,
            Lif,
            RestingLif,
            Plif,
            Klif,
            Glif,
            Ilif,
            LeakyIntegrator,
            CubaLif,
            Alif,
            RefractoryLif,
            Qif,
            Eif,
            AdaptiveQif,
            Izhikevich,
            AdEx,
            ResonateAndFire
        }
    };
}

macro_rules! table {
    ($($neuron:ident),+) => {
        /// What they are, without their kernels.
        pub const SPECS: &[&Spec] = &[$($crate::$neuron::SPEC),+];

        /// One of each, with default parameters.
        ///
        /// Their kernels for all formats are compiled where this is called.
        // Inlined, since kernels compiled in this crate would cost everybody who depends on it.
        #[inline]
        pub fn all() -> Vec<Box<dyn Neuron>> {
            vec![$(Box::new($crate::$neuron::default())),+]
        }
    };
}

with_zoo!(table);

/// The neuron called `name`, with default parameters; `None` if there is none. Case, `_` and `-` make no difference:
/// `CubaLif` is also `cuba_lif`.
///
/// ```
/// let neuron = neurons::zoo::by_name("cuba_lif").unwrap();
/// assert_eq!(neuron.spec().name, "CubaLif");
/// ```
#[inline]
pub fn by_name(name: &str) -> Option<Box<dyn Neuron>> {
    all().into_iter().find(|neuron| is_called(neuron.spec(), name))
}

/// Whether `spec` is of the neuron called `name`; case, `_` and `-` make no difference.
pub fn is_called(spec: &Spec, name: &str) -> bool {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    plain(spec.name) == plain(name)
}
