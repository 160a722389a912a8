//! All neurons that the `neurons` crate declares.

use neurons::{AdEx, AdaptiveQif, Alif, CubaLif, Eif, If, Izhikevich, Lif, Neuron, Qif, RefractoryLif};

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
