//! neurons-tests
