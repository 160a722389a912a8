//! All neurons that the `neurons` crate declares.

use std::path::Path;

use neuron_codegen::gradient::Derived;
use neurons::{
    AdEx, AdaptiveQif, Alif, CubaLif, Eif, Glif, If, Ilif, Izhikevich, Klif, LeakyIntegrator, Lif, Neuron,
    Plif, Qif, RefractoryLif, ResonateAndFire,
};

/// Something to do with a neuron, whichever it is.
pub trait Visit {
    /// Is called with one neuron.
    fn visit<N: Neuron>(&mut self);
}

/// Calls `visitor` with every neuron of the `neurons` crate.
pub fn every_neuron(visitor: &mut impl Visit) {
    visitor.visit::<If>();
    visitor.visit::<Lif>();
    visitor.visit::<Qif>();
    visitor.visit::<Eif>();
    visitor.visit::<AdEx>();
    visitor.visit::<AdaptiveQif>();
    visitor.visit::<Alif>();
    visitor.visit::<CubaLif>();
    visitor.visit::<Izhikevich>();
    visitor.visit::<RefractoryLif>();
    visitor.visit::<Plif>();
    visitor.visit::<Klif>();
    visitor.visit::<Glif>();
    visitor.visit::<Ilif>();
    visitor.visit::<ResonateAndFire>();
    visitor.visit::<LeakyIntegrator>();
}

/// The names of all neurons, as declared.
pub fn names() -> Vec<&'static str> {
    struct Names(Vec<&'static str>);
    impl Visit for Names {
        fn visit<N: Neuron>(&mut self) {
            self.0.push(N::SPEC.name);
        }
    }
    let mut names = Names(Vec::new());
    every_neuron(&mut names);
    names.0
}

/// What the sources of the `neurons` crate declare, listed above or not.
///
/// # Panics
/// They do not compile.
pub fn models() -> Vec<Derived> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../neurons/src");
    let mut models = Vec::new();
    for entry in std::fs::read_dir(sources).unwrap() {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for declaration in neuron_codegen::declarations::declarations(&source).unwrap() {
            let analysis = neuron_codegen::check::analyse(declaration);
            models.push(Derived::new(analysis.model.unwrap()));
        }
    }
    models
}
