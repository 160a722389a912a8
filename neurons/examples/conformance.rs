//! Compares the neurons with reference cases from independent software:
//!
//! `cargo run --release -p spiking-neurons --example conformance -- tests/reference/vectors`

fn main() -> std::process::ExitCode {
    neurons_tests::conformance::main()
}
