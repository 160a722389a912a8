//! The command for the neurons of the `neurons` crate.

neurons_inspect::main!(..zoo);
