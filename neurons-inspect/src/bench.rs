//! `neurons bench`: how long each template of a neuron takes on this machine.

use std::io::Write;
use std::time::Instant;

use clap::Args;
use neuron_runtime::evaluate::{Mode, evaluate};
use neuron_runtime::{
    BufferSpec, Class, Element, Format, Gradient, Isa, Neuron, Parameter, Real, Role, Source, Template,
};

use crate::output::{HEADING, QUIET, Table};
use crate::show::formats;
use crate::{Error, Neurons};

/// What to measure.
#[derive(Args, Debug)]
pub struct Bench {
    /// Name of the neuron; case, `_` and `-` are ignored. Or a file with its declaration: `lif.rs`, `neurons.rs:Lif`, `-`
    neuron: String,
    /// Number of steps
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    t: u32,
    /// Number of neurons
    #[arg(long, default_value_t = 65536, value_parser = clap::value_parser!(u32).range(1..=1 << 28))]
    n: u32,
    /// Data format
    #[arg(long, value_parser = formats(), default_value_t = Format::F32)]
    format: Format,
}

/// Runs of which the fastest counts, after one that does not.
const RUNS: usize = 20;

/// Measures every template, under the first reset that the neuron declares.
pub fn bench(neurons: &Neurons, args: &Bench, out: &mut dyn Write) -> Result<(), Error> {
    let neuron = neurons.find_or_read(&args.neuron)?;
    match args.format {
        Format::F32 => templates::<f32>(&neuron, args, out),
        Format::F64 => templates::<f64>(&neuron, args, out),
        Format::F16 => templates::<half::f16>(&neuron, args, out),
        Format::Bf16 => templates::<half::bf16>(&neuron, args, out),
    }
}

fn templates<E: Element>(neuron: &impl Neuron, args: &Bench, out: &mut dyn Write) -> Result<(), Error> {
    let spec = neuron.spec();
    let (steps, neurons) = (args.t as usize, args.n as usize);
    let (isa, threads) = (Isa::current().name(), rayon::current_num_threads());
    writeln!(
        out,
        "{HEADING}{}{HEADING:#}  {QUIET}T = {steps}, N = {neurons}, {}, {isa}, threads: {threads}{QUIET:#}",
        spec.name,
        E::NAME
    )?;
    let mut table = Table::new(["template", "us", "ns per neuron and step", "GB/s"], 1);
    for template in spec.templates() {
        let steps = if template.is_multi_step() { steps } else { 1 };
        let seconds = fastest::<E>(neuron, template, steps, neurons)?;
        let signature = spec.signature(template);
        let buffers = signature.inputs.iter().chain(signature.outputs);
        let bytes: usize = buffers.map(|buffer| buffer.bytes::<E>(steps, neurons)).sum();
        table.row([
            template.to_string(),
            format!("{:.1}", seconds * 1e6),
            format!("{:.3}", seconds * 1e9 / (steps * neurons) as f64),
            format!("{:.1}", bytes as f64 / seconds * 1e-9),
        ]);
    }
    Ok(table.write(out, 2)?)
}

/// An array that a template reads.
enum Array<E: Element> {
    Signal(Vec<E>),
    State(Vec<E::Real>),
    Parameter(Vec<E::Real>),
}

impl<E: Element> Array<E> {
    fn source(&self) -> Source<'_, E> {
        match self {
            Self::Signal(values) => Source::Signal(values),
            Self::State(values) => Source::State(values),
            Self::Parameter(values) => Source::Parameter(Parameter::per_neuron(values)),
        }
    }
}

/// Seconds of the fastest run.
fn fastest<E: Element>(
    neuron: &impl Neuron,
    template: Template,
    steps: usize,
    neurons: usize,
) -> Result<f64, Error> {
    let spec = neuron.spec();
    // Around the threshold, so that neurons fire now and then.
    let number = |i: usize| E::Real::from_f64((i * 7919 % 1000) as f64 * 0.004 - 1.0);
    let array = |buffer: &BufferSpec| {
        let numbers = 0..buffer.elements(steps, neurons).unwrap_or(0);
        match buffer.role {
            Role::Param(index) => Array::Parameter(vec![E::Real::from_f64(spec.params[index].default)]),
            _ if buffer.class == Class::Signal => {
                Array::Signal(numbers.map(|i| E::store(number(i))).collect())
            }
            _ => Array::State(numbers.map(number).collect()),
        }
    };
    let arrays: Vec<Array<E>> = spec.signature(template).inputs.iter().map(array).collect();
    let inputs: Vec<Source<'_, E>> = arrays.iter().map(Array::source).collect();
    let mut fastest = f64::INFINITY;
    for run in 0..=RUNS {
        let start = Instant::now();
        // Outputs take the memory of those of the run before.
        evaluate(neuron, Mode::Spiking, template, Gradient::default(), neurons, &inputs)?;
        let seconds = start.elapsed().as_secs_f64();
        if run > 0 {
            fastest = fastest.min(seconds);
        }
    }
    Ok(fastest)
}
