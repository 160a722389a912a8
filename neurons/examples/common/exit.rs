//! How an example ends.

use std::fmt::Display;
use std::process::ExitCode;

/// Success, or failure with the error printed.
pub fn code(result: Result<(), impl Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
