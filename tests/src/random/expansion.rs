//! What becomes of a declaration in the generator, examined in other processes, which may crash or hang.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use proc_macro2::TokenStream;
use serde::{Deserialize, Serialize};

use super::ast::Declaration;

/// The line before which a child is ready and the one that ends it are those of its streams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was refused.
    Refused(Vec<String>),
    /// What was generated is no Rust.
    NotRust(String),
    /// It was expanded to so many bytes.
    Expanded {
        /// Of its text.
        bytes: usize,
        /// How long that took.
        milliseconds: u64,
    },
    /// The generator panicked, or its process was ended by a signal.
    Crashed(String),
    /// It took longer than is allowed.
    TookTooLong,
}

/// Expands `text` here and now.
pub fn examine(text: &str) -> Outcome {
    let tokens = match text.parse::<TokenStream>() {
        Ok(tokens) => tokens,
        Err(error) => return Outcome::Refused(vec![error.to_string()]),
    };
    let start = Instant::now();
    let work = || {
        let analysis = neuron_codegen::check::analyse(tokens.clone());
        let errors = analysis.report.to_compile_error();
        (errors, neuron_codegen::expand::expand(tokens, None))
    };
    let (errors, expansion) = match std::panic::catch_unwind(work) {
        Ok(done) => done,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            return Outcome::Crashed(text.unwrap_or_default());
        }
    };
    let milliseconds = start.elapsed().as_millis() as u64;
    if !errors.is_empty() {
        return Outcome::Refused(messages(errors));
    }
    let bytes = expansion.to_string().len();
    match syn::parse2::<syn::File>(expansion) {
        Ok(_) => Outcome::Expanded { bytes, milliseconds },
        Err(error) => Outcome::NotRust(error.to_string()),
    }
}

/// The texts of `compile_error!`s.
fn messages(errors: TokenStream) -> Vec<String> {
    let mut texts = Vec::new();
    let mut open = vec![errors];
    while let Some(tokens) = open.pop() {
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Group(group) => open.push(group.stream()),
                proc_macro2::TokenTree::Literal(literal) => texts.push(literal.to_string()),
                _ => {}
            }
        }
    }
    texts
}

/// Examines the declarations on standard input, a line of JSON each, until it ends.
pub fn serve() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        serde_json::to_writer(&mut out, &examine(&text))?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}

/// A process that examines declarations.
struct Worker {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Worker {
    fn start(program: &Path) -> std::io::Result<Self> {
        let mut child = Command::new(program)
            .arg("expand")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::Error::other("no pipes"));
        };
        let (send, lines) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.take_while(|line| send.send(line.clone()).is_ok()).for_each(drop);
        });
        Ok(Self { child, input, lines })
    }

    /// The outcome, unless the process ended or takes longer.
    fn examine(&mut self, text: &str, limit: Duration) -> Result<Outcome, Outcome> {
        let line = serde_json::to_string(text).map_err(|error| Outcome::Crashed(error.to_string()))?;
        if writeln!(self.input, "{line}").is_ok() {
            match self.lines.recv_timeout(limit) {
                Ok(line) => {
                    return serde_json::from_str(&line).map_err(|error| Outcome::Crashed(error.to_string()));
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    self.end();
                    return Err(Outcome::TookTooLong);
                }
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {}
            }
        }
        let status = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        Err(Outcome::Crashed(status))
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

/// Examines declarations in as many processes as there are processors.
#[derive(Clone, Debug)]
pub struct Examiner {
    /// A program that calls [`serve`] when its argument is `expand`.
    pub program: PathBuf,
    /// How long one declaration may take.
    pub limit: Duration,
}

impl Examiner {
    /// What becomes of each of `declarations`.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn examine(&self, declarations: &[&Declaration]) -> std::io::Result<Vec<Outcome>> {
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(vec![None; declarations.len()]);
        let work = || -> std::io::Result<()> {
            let mut worker = Worker::start(&self.program)?;
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(declaration) = declarations.get(index) else { return Ok(()) };
                let outcome = match worker.examine(&declaration.to_string(), self.limit) {
                    Ok(outcome) => outcome,
                    Err(outcome) => {
                        worker = Worker::start(&self.program)?;
                        outcome
                    }
                };
                outcomes.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(outcome);
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(declarations.len());
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
        })?;
        let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(outcomes.into_iter().map(|outcome| outcome.expect("each was examined")).collect())
    }
}
