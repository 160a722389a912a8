//! Wrong declarations and what the macro says of them: `ui/*.rs` with the expected `ui/*.stderr`.
//!
//! Every case uses the neuron it declares as well, so that an expansion that leaves follow-up errors fails.

#[test]
fn wrong_declarations() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
