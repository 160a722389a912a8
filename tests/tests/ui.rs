//! Wrong declarations and what the macro says of them: `ui/*.rs` with the expected `ui/*.stderr`.
//!
//! Every case uses the neuron it declares as well, so that an expansion that leaves follow-up errors fails.

#[test]
fn wrong_declarations() {
    // The cases are built in a target folder of their own, with the neurons they depend on; the CUDA kernels
    // of those would be compiled there once more, for nothing.
    // SAFETY: this is the only test of this binary, so no other thread reads the environment.
    unsafe { std::env::set_var("NEURON_CUDA", "off") };
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
