//! All neurons that the `neurons` crate declares.

use std::path::Path;

use neuron_codegen::gradient::Derived;
use neurons::DeclaredNeuron;

/// Something to do with a neuron, whichever it is.
pub trait Visit {
    /// Is called with one neuron.
    fn visit<N: DeclaredNeuron>(&mut self);
}

/// Calls `visitor` with every neuron of the `neurons` crate.
pub fn every_neuron(visitor: &mut impl Visit) {
    macro_rules! visit {
        ($($neuron:ident),+) => {{ $(visitor.visit::<neurons::$neuron>();)+ }};
    }
    neurons::with_zoo!(visit);
}

/// The names of all neurons, as declared.
pub fn names() -> Vec<&'static str> {
    neurons::zoo::SPECS.iter().map(|spec| spec.name).collect()
}

/// What the sources of the `neurons` crate declare, listed above or not.
///
/// # Panics
/// They do not compile.
pub fn models() -> Vec<Derived> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurons/src");
    let sources = std::fs::read_dir(sources).unwrap();
    sources.flat_map(|entry| models_of(&std::fs::read_to_string(entry.unwrap().path()).unwrap())).collect()
}

fn models_of(source: &str) -> Vec<Derived> {
    let declarations = neuron_codegen::declarations::declarations(source).unwrap();
    let analyses = declarations.into_iter().map(neuron_codegen::check::analyse);
    analyses.map(|analysis| Derived::new(analysis.model.unwrap())).collect()
}

neurons::neuron! {
    /// So many inputs that kernels of the GPU keep all of them in registers, and move them one neuron at a time.
    pub struct Mixture {
        /// Membrane time constant.
        param tau = 3.0 where tau >= 1.0;
        /// Threshold.
        param v_threshold = 1.0 where v_threshold > 0.0;
        /// Potential after a spike.
        param v_reset = 0.0;
        input excitation, inhibition, gain;

        charge = v + (excitation * gain - inhibition - (v - v_reset)) / tau;
        reset hard | soft;
    }
}

/// All neurons of the `neurons` crate, and [`Mixture`].
pub fn every_neuron_and_mixture(visitor: &mut impl Visit) {
    every_neuron(visitor);
    visitor.visit::<Mixture>();
}

/// What is declared of these.
pub fn models_and_mixture() -> Vec<Derived> {
    models().into_iter().chain(models_of(include_str!("declared.rs"))).collect()
}
