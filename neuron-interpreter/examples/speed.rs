//! Time of interpreted kernels, relative to those that the macro compiles, in float32:
//!
//! `cargo run --release -p spiking-neurons-interpreter --example speed`
//!
//! Both run by turns in one process: the ratio is the median of those of two runs that follow one another, since a machine
//! that others use slows both down. Times are the fastest. Arrays of the first size are in the caches, those of the second
//! in none.

use std::time::{Duration, Instant};

use neuron_interpreter::Declaration;
use neurons::{
    AdEx, BufferSpec, Call, DeclaredNeuron, Eif, Error, Gradient, Kind, Lif, Neuron, Parameter, Sink, Source,
    Template,
};

/// Sizes `[T, N]`, and how often each is run.
const SIZES: [([usize; 2], usize); 2] = [([16, 1024], 2000), ([16, 1 << 20], 11)];

const TEMPLATES: [Template; 6] = [
    Template::Fptt,
    Template::PackedFptt,
    Template::FpttWithGrad,
    Template::Bptt,
    Template::LeanFptt,
    Template::LeanBptt,
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{:8} {:16} {:>13} {:>10} {:>11} {:>6}",
        "neuron", "template", "T, N", "compiled", "interpreted", "ratio"
    );
    measure::<Lif>()?;
    measure::<Eif>()?;
    measure::<AdEx>()
}

fn measure<N: DeclaredNeuron>() -> Result<(), Box<dyn std::error::Error>> {
    let (compiled, interpreted) = (N::default(), Declaration::parse(N::SPEC.declaration)?.neuron());
    for ([steps, neurons], runs) in SIZES {
        for template in TEMPLATES {
            let mut arrays = Arrays::new(N::SPEC.signature(template), steps, neurons);
            let mut times = [Duration::MAX; 2];
            let mut ratios = Vec::with_capacity(runs);
            for _ in 0..runs {
                let pair = [
                    arrays.time(&compiled, template, neurons)?,
                    arrays.time(&interpreted, template, neurons)?,
                ];
                times = [times[0].min(pair[0]), times[1].min(pair[1])];
                ratios.push(pair[1].as_secs_f64() / pair[0].as_secs_f64());
            }
            ratios.sort_by(f64::total_cmp);
            let [compiled, interpreted] = times.map(|time| time.as_secs_f64() * 1e6);
            println!(
                "{:8} {:16} {steps:>4}, {neurons:>7} {compiled:>8.1} us {interpreted:>8.1} us {:>6.2}",
                N::SPEC.name,
                template.name(),
                ratios[runs / 2],
            );
        }
    }
    Ok(())
}

/// An array of any kind.
enum Array {
    Floats(Vec<f32>, Kind),
    Words(Vec<u32>),
}

/// The arrays of a template.
struct Arrays {
    inputs: Vec<Array>,
    outputs: Vec<Array>,
}

impl Arrays {
    fn new(signature: &neurons::Signature, steps: usize, neurons: usize) -> Self {
        let array = |buffer: &BufferSpec| {
            let len = buffer.elements(steps, neurons).unwrap_or(1);
            match buffer.kind() {
                Kind::Bits => Array::Words(vec![0; len]),
                // Around the threshold, so that neurons fire now and then.
                kind => {
                    Array::Floats((0..len).map(|i| (i * 7919 % 1000) as f32 * 0.004 - 1.0).collect(), kind)
                }
            }
        };
        Self {
            inputs: signature.inputs.iter().map(array).collect(),
            outputs: signature.outputs.iter().map(array).collect(),
        }
    }

    fn time(&mut self, neuron: &impl Neuron, template: Template, neurons: usize) -> Result<Duration, Error> {
        let inputs: Vec<Source<'_, f32>> = self.inputs.iter().map(source).collect();
        let mut outputs: Vec<Sink<'_, f32>> = self.outputs.iter_mut().map(sink).collect();
        let start = Instant::now();
        neuron.run(Call {
            template,
            neurons,
            gradient: Gradient::default(),
            inputs: &inputs,
            outputs: &mut outputs,
        })?;
        Ok(start.elapsed())
    }
}

fn source(array: &Array) -> Source<'_, f32> {
    match array {
        Array::Floats(values, Kind::Signal) => Source::Signal(values),
        Array::Floats(values, Kind::Parameter) => Source::Parameter(Parameter::per_neuron(values)),
        Array::Floats(values, _) => Source::State(values),
        Array::Words(_) => unreachable!("no template reads bits"),
    }
}

fn sink(array: &mut Array) -> Sink<'_, f32> {
    match array {
        Array::Floats(values, Kind::Signal) => Sink::Signal(values),
        Array::Floats(values, Kind::Parameter) => Sink::Parameter(values),
        Array::Floats(values, _) => Sink::State(values),
        Array::Words(words) => Sink::Bits(words),
    }
}
