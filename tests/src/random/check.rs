//! What must hold for every compiled neuron.

mod arrays;
mod column;
pub mod gpu;
mod host;
mod settings;
mod templates;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};

use half::{bf16, f16};
use neurons::gradcheck::Failure;
use serde::{Deserialize, Serialize};

use super::ast::Declaration;
use super::compiled::Compiled;
use crate::host_cuda::Compiler;

/// What does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A call of the runtime failed or panicked.
    Call,
    /// Spikes, outputs or states are not what the declaration says.
    Forward,
    /// States before the first step are not what the declaration says, or their slopes.
    Initial,
    /// Two templates of the same results give other bits.
    Templates,
    /// The recompute pair's gradients are not the classical pair's bits.
    Pairs,
    /// Other bits without the arrays that a call may leave out than with what stands for them.
    LeftOut,
    /// Other bits on other instruction sets or with other numbers of threads.
    Independence,
    /// The classical pair's gradient is not that of the declaration.
    Gradient,
    /// The recompute pair's gradient is not that of the declaration.
    LeanGradient,
    /// The relaxed model's values are not what the declaration says.
    Relaxed,
    /// The relaxed model's gradient is not that of the declaration.
    RelaxedGradient,
    /// `gradcheck` finds a gradient wrong.
    Gradcheck,
    /// The evaluator's own slopes are not its finite differences.
    Oracle,
    /// The CUDA source, compiled as C++, gives other bits than Rust, or is refused.
    HostCuda,
    /// The GPU gives other bits than the CPU.
    Cuda,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// Where, and what was found.
    pub detail: String,
}

/// How much could be compared with the evaluator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Numbers that were compared.
    pub compared: usize,
    /// Numbers of which nothing can be said: something is not finite, or rounding may decide a comparison.
    pub skipped: usize,
}

/// What was found of one neuron.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What does not hold, the first of each kind.
    pub findings: Vec<Finding>,
    /// How much was compared.
    pub tally: Tally,
    /// A hash of what the neuron computes of the same numbers, whatever things are called.
    pub bits: u64,
}

impl Report {
    /// Adds a finding, unless there is one of its kind.
    pub fn add(&mut self, kind: Kind, detail: impl FnOnce() -> String) {
        if self.findings.iter().all(|finding| finding.kind != kind) {
            self.findings.push(Finding { kind, detail: detail() });
        }
    }
}

/// Checks `neuron`, which was compiled from `declaration`, with numbers drawn by `seed`.
/// With a compiler, its CUDA source too.
pub fn check(
    declaration: &Declaration,
    neuron: &dyn Compiled,
    seed: u64,
    compiler: Option<&Compiler>,
) -> Report {
    let mut report = Report::default();
    let work = AssertUnwindSafe(|| check_all(declaration, neuron, seed, compiler, &mut report));
    if let Err(panic) = catch_unwind(work) {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        report.add(Kind::Call, || format!("a panic: {}", text.unwrap_or_default()));
    }
    report
}

fn check_all(
    declaration: &Declaration,
    neuron: &dyn Compiled,
    seed: u64,
    compiler: Option<&Compiler>,
    report: &mut Report,
) {
    let mut kernels = None;
    for (i, setting) in settings::settings(declaration, neuron, seed).into_iter().enumerate() {
        let configured = match neuron.with(&setting) {
            Ok(configured) => configured,
            Err(error) => {
                report.add(Kind::Call, || format!("{setting:?}: {error}"));
                continue;
            }
        };
        let subject =
            settings::Subject::new(declaration, neuron.spec(), &setting, &*configured, seed + i as u64);
        values::check(&subject, report);
        templates::check::<f32>(&subject, report);
        templates::check::<f64>(&subject, report);
        if i == 0 {
            templates::check::<f16>(&subject, report);
            templates::check::<bf16>(&subject, report);
            kernels = compiler.and_then(|compiler| match tempfile::tempdir() {
                Ok(directory) => host::Kernels::new(&subject, compiler, directory.path())
                    .map_err(|error| report.add(Kind::HostCuda, || error))
                    .ok(),
                Err(error) => {
                    report.add(Kind::Call, || error.to_string());
                    None
                }
            });
        }
        if let Some(kernels) = &kernels {
            kernels.check(&subject, report);
        }
    }
    match neuron.gradcheck() {
        Ok(_) | Err(Failure::TooFew { .. }) => {}
        // Something on the way overflows. Where it does not for the evaluator, its gradient is compared above.
        Err(Failure::Gradient { analytic, .. }) if !analytic.is_finite() => {}
        Err(error) => report.add(Kind::Gradcheck, || error.to_string()),
    }
}
