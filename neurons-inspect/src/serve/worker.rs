//! The loop of a worker: a question a line, an answer a line.

use std::io::{BufRead, Write};
use std::thread;

use super::answer::{Answer, Answerer};
use crate::Error;

/// Stack of the thread that reads declarations, which may be nested deeply.
const STACK: usize = 16 << 20;

/// Answers until the server closes standard input.
///
/// # Errors
/// [`Error::Output`], [`Error::Json`]
pub fn run(out: &mut dyn Write) -> Result<(), Error> {
    let (sender, answers) = std::sync::mpsc::sync_channel::<String>(1);
    // Declarations have to stay on the thread that reads them.
    thread::Builder::new().stack_size(STACK).spawn(move || -> Option<()> {
        let mut answerer = Answerer::default();
        for question in std::io::stdin().lock().lines() {
            let answer = match serde_json::from_str(&question.ok()?) {
                Ok(question) => answerer.answer(&question),
                Err(error) => Answer::refused(format!("this is not a question: {error}")),
            };
            sender.send(serde_json::to_string(&answer).ok()?).ok()?;
        }
        Some(())
    })?;
    for answer in answers {
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
