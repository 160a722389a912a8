//! On a GPU: every template in every format, the same bits as on the CPU.

use half::{bf16, f16};
use neurons::{Device, Error, Template};
use rand::Rng;

use super::arrays::{Arrays, Runner, difference};
use super::settings::{Subject, declared};
use super::{Kind, Report, settings};
use crate::host_cuda::Launches;
use crate::random::ast::Declaration;
use crate::random::compiled::{Compiled, Format};
use crate::random::number::Surrogate;

/// Sizes `[T, N]`: a block and a part of one, whole lanes and others, several blocks of threads.
const SIZES: [[usize; 2]; 4] = [[1, 4], [9, 33], [17, 600], [16, 64]];

/// Checks `neuron` on `device`, with numbers drawn by `seed`.
pub fn check(declaration: &Declaration, neuron: &dyn Compiled, seed: u64, device: &Device) -> Report {
    let mut report = Report::default();
    // Functions of float64 are those of another library there.
    let is_exact = Launches::of(neuron.spec().declaration).is_ok_and(|launches| !launches.is_transcendental);
    for (i, setting) in settings::settings(declaration, neuron, seed).into_iter().enumerate() {
        let configured = match neuron.with(&setting) {
            Ok(configured) => configured,
            Err(error) => {
                report.add(Kind::Call, || format!("{setting:?}: {error}"));
                continue;
            }
        };
        let subject = Subject::new(declaration, neuron.spec(), &setting, &*configured, seed + i as u64);
        check_in::<f32>(&subject, device, true, &mut report);
        check_in::<f64>(&subject, device, is_exact, &mut report);
        check_in::<f16>(&subject, device, true, &mut report);
        check_in::<bf16>(&subject, device, true, &mut report);
    }
    report
}

fn check_in<E: Format>(subject: &Subject<'_>, device: &Device, is_exact: bool, report: &mut Report) {
    if E::of(subject.neuron).is_none() {
        return;
    }
    for (i, [steps, neurons]) in SIZES.into_iter().enumerate() {
        let mut rng = subject.rng(40 + i as u64);
        let gradient = declared(Surrogate::Atan(2.0), rng.random());
        let runner = Runner { subject: *subject, device: &Device::Cpu, gradient, steps, neurons };
        let arrays = runner.draw::<E>(&mut rng);
        match compare(&runner, device, &arrays) {
            Ok(None) => {}
            // It ran; digits may differ.
            Ok(Some(_)) if !is_exact => {}
            Ok(Some(difference)) => {
                report.add(Kind::Cuda, || {
                    format!("{} {steps} steps, {neurons} neurons: {difference}", E::NAME)
                });
            }
            Err(error) => report.add(Kind::Call, || format!("{}: {error}", E::NAME)),
        }
    }
}

/// The first difference between what the templates give on the CPU and on `device`.
fn compare<E: Format>(
    runner: &Runner<'_>,
    device: &Device,
    arrays: &Arrays<E>,
) -> Result<Option<String>, Error> {
    let spec = runner.subject.spec;
    let there = Runner { device, ..*runner };
    let classical = runner.run(Template::FpttWithGrad, &[arrays])?;
    let lean = runner.run(Template::LeanFptt, &[arrays])?;
    for template in spec.templates() {
        let given: &[&Arrays<E>] = match template {
            Template::Bptt => &[arrays, &classical],
            Template::LeanBptt => &[arrays, &lean],
            _ => &[arrays],
        };
        let (expected, actual) = if template.is_multi_step() {
            (runner.run(template, given)?, there.run(template, given)?)
        } else {
            let all: Arrays<E> = arrays.iter().chain(&classical).cloned().collect();
            let inputs = runner.step_of(0, &all, spec.signature(template).inputs);
            (runner.run(template, &[&inputs])?, there.run(template, &[&inputs])?)
        };
        for ((buffer, expected), (_, actual)) in expected.iter().zip(&actual) {
            if let Some(difference) = difference(expected, actual) {
                return Ok(Some(format!("{template}: {}{difference}", buffer.name)));
            }
        }
    }
    Ok(None)
}
