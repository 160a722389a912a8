//! Declarations checked without being compiled: interpreted, in this process.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use neuron_interpreter::Declaration;

use super::build::Sample;
use super::check::check;
use super::program::Line;
use super::run::{Fault, Results, Stage};

/// Bytes of the stack of each thread.
const STACK: usize = 16 << 20;

/// What is wrong with each of `samples`.
///
/// # Errors
/// Threads cannot be started.
pub fn run(samples: &[Sample]) -> std::io::Result<Results> {
    let results = Mutex::new(Results::of(samples.len()));
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((index, sample)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            samples.get(index).map(|sample| (index, sample))
        } {
            let found = one(index, sample);
            let mut results = results.lock().expect("nothing panics while it is locked");
            match found {
                Ok(line) => results.add(index, line),
                Err(fault) => results.faults[index].push(fault),
            }
        }
    };
    // Not those of rayon: while a check waits for its own tasks, such a thread takes up another check, and so on.
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work)?;
        }
        Ok::<(), std::io::Error>(())
    })?;
    Ok(results.into_inner().expect("no thread has panicked"))
}

fn one(index: usize, sample: &Sample) -> Result<Line, Fault> {
    let text = sample.declaration.to_string();
    let fault = |kind: &str, detail| Fault { kind: kind.to_owned(), stage: Stage::Expanded, detail };
    let neuron = match catch_unwind(AssertUnwindSafe(|| Declaration::parse(&text))) {
        Ok(Ok(neuron)) => neuron,
        Ok(Err(mistakes)) => return Err(fault("refused", mistakes.to_string())),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            return Err(fault("generator panics", text.unwrap_or_default()));
        }
    };
    let report = check(&sample.declaration, &neuron, sample.seed, None);
    let equations = neuron.spec().equations.iter().map(ToString::to_string).collect();
    Ok(Line { index, report, equations })
}
