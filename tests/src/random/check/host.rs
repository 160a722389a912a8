//! The CUDA source compiled as C++ against the generated Rust, bit for bit.

use std::path::Path;

use half::{bf16, f16};
use libloading::{Library, Symbol};
use neuron_abi::kernel;
use neurons::cuda::{RawArray, RawCall, RawParameter};
use neurons::{Device, Real, Template};
use rand::Rng;

use super::arrays::{Arrays, Runner, difference};
use super::settings::{Subject, declared};
use super::{Kind, Report};
use crate::cases::Host;
use crate::host_cuda::{Compiler, Launch, Launches, launch_name};
use crate::random::compiled::Format;
use crate::random::number::Surrogate;

/// Sizes `[T, N]`: a block and a part of one, whole lanes and others; several groups of chunks.
const SIZES: [[usize; 2]; 4] = [[1, 4], [9, 33], [17, 6], [70, 2]];

/// Kernels run for less time than they are compiled.
const OPTIONS: [&str; 1] = ["-O0"];

/// The kernels of one neuron in the formats that it was compiled for.
pub struct Kernels {
    libraries: Vec<(&'static str, Library)>,
    launches: Launches,
}

impl Kernels {
    /// Compiles them.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn new(subject: &Subject<'_>, compiler: &Compiler, directory: &Path) -> Result<Self, String> {
        let launches = Launches::of(subject.spec.declaration)?;
        let source = format!("{}\n{}", subject.spec.cuda.source(), launches.source);
        let formats: &[&'static str] =
            if subject.neuron.half().is_some() { &["f32", "f64", "f16", "bf16"] } else { &["f32"] };
        let load = |format: &&'static str| {
            Ok((*format, compiler.try_load(directory, "kernels", format, &source, &OPTIONS)?))
        };
        Ok(Self { libraries: formats.iter().map(load).collect::<Result<_, String>>()?, launches })
    }

    /// Checks one setting.
    pub fn check(&self, subject: &Subject<'_>, report: &mut Report) {
        for (format, library) in &self.libraries {
            match *format {
                "f32" => self.check_in::<f32>(library, subject, report),
                // Functions of float64 are those of another library here.
                "f64" if self.launches.is_transcendental => {}
                "f64" => self.check_in::<f64>(library, subject, report),
                "f16" => self.check_in::<f16>(library, subject, report),
                _ => self.check_in::<bf16>(library, subject, report),
            }
        }
    }

    fn check_in<E: Format>(&self, library: &Library, subject: &Subject<'_>, report: &mut Report) {
        for (i, [steps, neurons]) in SIZES.into_iter().enumerate() {
            let mut rng = subject.rng(30 + i as u64);
            let gradient = declared(Surrogate::Atan(2.0), rng.random());
            let runner = Runner { subject: *subject, device: &Device::Cpu, gradient, steps, neurons };
            let arrays = runner.draw::<E>(&mut rng);
            let result = || -> Result<(), String> {
                let say = |error: neurons::Error| error.to_string();
                let classical = runner.run(Template::FpttWithGrad, &[&arrays]).map_err(say)?;
                let lean = runner.run(Template::LeanFptt, &[&arrays]).map_err(say)?;
                for template in subject.spec.templates().filter(|template| template.is_multi_step()) {
                    let given: &[&Arrays<E>] = match template {
                        Template::Bptt => &[&arrays, &classical],
                        Template::LeanBptt => &[&arrays, &lean],
                        _ => &[&arrays],
                    };
                    let expected = runner.run(template, given).map_err(say)?;
                    let name = kernel::name(template, subject.setting.reset);
                    let few = Some(kernel::few(&name)).filter(|few| find::<E>(library, subject, few).is_ok());
                    for name in std::iter::once(name).chain(few) {
                        let actual = launch(library, &runner, (template, &name), given, &expected)?;
                        for ((buffer, expected), (_, actual)) in expected.iter().zip(&actual) {
                            if let Some(difference) = difference(expected, actual) {
                                return Err(format!(
                                    "{} {name}, T = {steps}, N = {neurons}: {}{difference}",
                                    E::NAME,
                                    buffer.name
                                ));
                            }
                        }
                    }
                }
                Ok(())
            };
            if let Err(error) = result() {
                report.add(Kind::HostCuda, || error);
            }
        }
    }
}

/// What launches the kernel `name`.
fn find<'l, E: Format>(
    library: &'l Library,
    subject: &Subject<'_>,
    name: &str,
) -> Result<Symbol<'l, Launch>, String> {
    let name = launch_name(&kernel::symbol(subject.spec.module, name, E::FORMAT));
    // SAFETY: the library defines it with this type.
    unsafe { library.get::<Launch>(name.as_bytes()) }.map_err(|error| error.to_string())
}

/// What a kernel of `template`, of this name, writes.
fn launch<E: Format>(
    library: &Library,
    runner: &Runner<'_>,
    (template, name): (Template, &str),
    arrays: &[&Arrays<E>],
    like: &Arrays<E>,
) -> Result<Arrays<E>, String> {
    let Runner { subject, gradient, steps, neurons, .. } = *runner;
    let launch = find::<E>(library, &subject, name)?;
    let (mut read, mut parameters) = (Vec::new(), Vec::new());
    for host in runner.inputs(template, arrays) {
        match host {
            Host::Signal(array) => read.push(RawArray { address: array.as_ptr() as u64, len: array.len() }),
            Host::State(array) => read.push(RawArray { address: array.as_ptr() as u64, len: array.len() }),
            Host::Parameter(values, inner) => parameters.push(RawParameter {
                address: values.as_ptr() as u64,
                count: values.len(),
                inner: *inner,
            }),
            Host::Bits(_) => return Err("no template reads bits".to_owned()),
        }
    }
    let mut outputs: Arrays<E> = like.iter().map(|(buffer, host)| (*buffer, poisoned(host))).collect();
    let written = outputs.iter_mut().map(|(_, host)| match host {
        Host::Signal(array) => array.as_mut_ptr() as u64,
        Host::State(array) | Host::Parameter(array, _) => array.as_mut_ptr() as u64,
        Host::Bits(words) => words.as_mut_ptr() as u64,
    });
    let written: Vec<u64> = written.collect();
    let call = RawCall {
        steps,
        neurons,
        inputs: &read,
        parameters: &parameters,
        outputs: &[],
        workspace: None,
        stream: None,
    };
    let neuron = E::of(subject.neuron).ok_or("it was not compiled for this format")?;
    let mut arguments =
        neuron.arguments(template, gradient, &call, &written).map_err(|error| error.to_string())?;
    // SAFETY: the kernel takes the arguments of this template; arrays are as long as the signature says, and each
    // neuron has parameters of its own.
    unsafe { launch(arguments.pointers().as_ptr(), neurons as u64) };
    Ok(outputs)
}

/// As long, and full of what no kernel writes.
fn poisoned<E: Format>(host: &Host<E>) -> Host<E> {
    let nan = E::Real::from_f64(f64::NAN);
    match host {
        Host::Signal(array) => Host::Signal(vec![E::store(nan); array.len()]),
        Host::State(array) => Host::State(vec![nan; array.len()]),
        Host::Parameter(array, inner) => Host::Parameter(vec![nan; array.len()], *inner),
        Host::Bits(words) => Host::Bits(vec![u32::MAX; words.len()]),
    }
}
