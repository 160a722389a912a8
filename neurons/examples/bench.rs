//! Time of each template, relative to a copy of the same number of bytes:
//!
//! `cargo run --release -p spiking-neurons --example bench -- --device cuda --t 16 --n 16777216`
//!
//! `of_copy` is the fraction of copy bandwidth: the time of a copy of the same number of bytes on the same device in the
//! same run, divided by the template's. At 1 a template runs at memory speed. Each array counts once.

mod common;

use clap::Parser;
use common::{Place, copies_on_cuda, copy_on_cpu, times};
use neurons::cuda::{CudaArray, CudaDevice, PreparedCall, RawArray, RawCall, RawParameter};
use neurons::{
    BufferSpec, Call, Class, DeclaredNeuron, Element, Error, Extent, Gradient, Isa, Parameter, Real, Reset,
    Sink, Source, Surrogate, Template, zoo,
};
use rayon::prelude::*;

use neurons_tests::declared::{Visit, every_neuron};

/// Times every template of a neuron.
#[derive(Parser)]
struct Args {
    /// Where to run
    #[arg(long, value_enum, default_value = "cpu")]
    device: Place,
    /// Which neuron, by the name that the `neurons` command takes (`lif`, `cuba_lif`), or `all`
    #[arg(long, default_value = "lif", value_parser = choice)]
    neuron: String,
    /// Format of inputs and spikes
    #[arg(long, default_value = "f32", value_parser = ["f32", "f64", "f16", "bf16"])]
    dtype: String,
    /// Reset mode
    #[arg(long, default_value = "hard", value_parser = ["hard", "soft"])]
    reset: String,
    /// Surrogate, by its name in SpikingJelly
    #[arg(long, default_value = "ATan")]
    surrogate: String,
    /// Steps, or several numbers of them: 1,4,16
    #[arg(long, default_value = "16", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    t: Vec<u32>,
    /// Neurons, or several numbers of them
    #[arg(long, default_value = "1048576", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..))]
    n: Vec<u64>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs of which the fastest counts, after one that does not.
const RUNS: usize = 12;

fn main() -> Result<(), Error> {
    struct Bench {
        args: Args,
        done: Result<(), Error>,
    }
    impl Visit for Bench {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let asked = &self.args.neuron;
            if (asked == ALL || zoo::is_called(N::SPEC, asked)) && self.done.is_ok() {
                self.done = formats::<N>(&self.args);
            }
        }
    }
    let args = Args::parse();
    if args.json {
        println!("{}", header(&args)?);
    }
    let mut bench = Bench { args, done: Ok(()) };
    every_neuron(&mut bench);
    bench.done
}

/// Selects all neurons.
const ALL: &str = "all";

/// A name of a neuron, or [`ALL`].
fn choice(text: &str) -> Result<String, String> {
    if text == ALL || zoo::SPECS.iter().any(|spec| zoo::is_called(spec, text)) {
        return Ok(text.to_owned());
    }
    let names: Vec<&str> = zoo::SPECS.iter().map(|spec| spec.name).collect();
    Err(format!("expected `{ALL}` or one of {}", names.join(", ")))
}

/// When, where and how: the first line of JSON.
fn header(args: &Args) -> Result<serde_json::Value, Error> {
    let machine = match args.device {
        Place::Cuda => CudaDevice::new(0)?.name(),
        Place::Cpu => {
            let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
            let model = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
            let model = model.map_or(std::env::consts::ARCH, |(_, model)| model.trim());
            format!("{} threads of {model}, {}", rayon::current_num_threads(), Isa::current().name())
        }
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command =
        format!("cargo run --release -p spiking-neurons --example bench -- {}", arguments.join(" "));
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    Ok(serde_json::json!({ "date": date, "machine": machine, "command": command }))
}

fn formats<N: DeclaredNeuron>(args: &Args) -> Result<(), Error> {
    match args.dtype.as_str() {
        "f64" => bench::<N, f64>(args),
        "f16" => bench::<N, half::f16>(args),
        "bf16" => bench::<N, half::bf16>(args),
        _ => bench::<N, f32>(args),
    }
}

/// What times templates and copies on one device.
trait Timer<E: Element> {
    /// Seconds of one call; arrays are reused from call to call of a template.
    fn template<N: DeclaredNeuron>(&self, neuron: &N, gradient: Gradient, case: Case) -> Result<f64, Error>;
    /// Seconds of reading and writing `bytes` in all.
    fn copy(&self, bytes: usize) -> Result<f64, Error>;
}

#[derive(Clone, Copy)]
struct Case {
    template: Template,
    steps: usize,
    neurons: usize,
}

impl Case {
    fn length(self, buffer: &BufferSpec) -> usize {
        // A parameter is one for all.
        buffer.elements(self.steps, self.neurons).unwrap_or(1)
    }
}

fn bench<N: DeclaredNeuron, E: Element>(args: &Args) -> Result<(), Error> {
    match args.device {
        Place::Cpu => reports::<N, E>(args, &Cpu),
        Place::Cuda => reports::<N, E>(args, &Gpu(CudaDevice::new(0)?)),
    }
}

/// A table a size.
fn reports<N: DeclaredNeuron, E: Element>(args: &Args, timer: &impl Timer<E>) -> Result<(), Error> {
    for &t in &args.t {
        for &n in &args.n {
            report::<N, E>(args, [t as usize, n as usize], timer)?;
        }
    }
    Ok(())
}

fn report<N: DeclaredNeuron, E: Element>(
    args: &Args,
    [t, n]: [usize; 2],
    timer: &impl Timer<E>,
) -> Result<(), Error> {
    let mut neuron = N::default();
    let asked = if args.reset == "soft" { Reset::Soft } else { Reset::Hard };
    neuron.set_reset(if N::SPEC.resets.contains(&asked) { asked } else { N::SPEC.resets[0] });
    let gradient = Gradient::from(Surrogate::from_name(&args.surrogate, &[])?);
    let device = if args.device == Place::Cpu { "cpu" } else { "cuda" };
    if !args.json {
        println!("{} {} T={t} N={n} on {device}", N::SPEC.name, E::NAME);
        println!("{:20} {:>10} {:>12} {:>18}", "template", "ms", "bytes", "of copy bandwidth");
    }
    for template in N::SPEC.templates() {
        let steps = if template.is_multi_step() { t } else { 1 };
        let case = Case { template, steps, neurons: n };
        let signature = N::SPEC.signature(template);
        let bytes: usize = (signature.inputs.iter().chain(signature.outputs))
            .map(|buffer| buffer.bytes::<E>(case.steps, case.neurons))
            .sum();
        let seconds = timer.template(&neuron, gradient, case)?;
        let of_copy = timer.copy(bytes)? / seconds;
        let (name, t) = (N::SPEC.name, steps);
        if args.json {
            println!(
                "{{\"device\":\"{device}\",\"neuron\":\"{name}\",\"template\":\"{template}\",\"reset\":\"{}\",\
                 \"dtype\":\"{}\",\"t\":{t},\"n\":{n},\"seconds\":{seconds:e},\"bytes\":{bytes},\
                 \"of_copy\":{of_copy:.4}}}",
                args.reset,
                E::NAME
            );
        } else {
            println!("{:20} {:10.4} {bytes:12} {of_copy:18.3}", template.name(), seconds * 1e3);
        }
    }
    Ok(())
}

/// The fastest of several runs.
fn fastest(run: impl FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    Ok(times(RUNS, run)?.into_iter().fold(f64::INFINITY, f64::min))
}

/// Inputs that make some neurons fire.
fn values<E: Element>(len: usize) -> Vec<E> {
    let value = |i: usize| (i as u32).wrapping_mul(2_654_435_761) as f64 / f64::from(u32::MAX) * 2.0 - 0.5;
    (0..len).into_par_iter().map(|i| E::store(E::Real::from_f64(value(i)))).collect()
}

struct Cpu;

impl<E: Element> Timer<E> for Cpu {
    fn template<N: DeclaredNeuron>(&self, neuron: &N, gradient: Gradient, case: Case) -> Result<f64, Error> {
        enum Owned<E: Element> {
            Signal(Vec<E>),
            State(Vec<E::Real>),
            Parameter(Vec<E::Real>),
            Bits(Vec<u32>),
        }
        let signature = N::SPEC.signature(case.template);
        let make = |buffer: &BufferSpec| match (buffer.extent, buffer.class) {
            (Extent::Parameter, _) => Owned::Parameter(vec![E::Real::ONE]),
            (_, Class::Signal) => Owned::<E>::Signal(values(case.length(buffer))),
            (_, Class::State) => Owned::State(values(case.length(buffer))),
            (_, Class::Bits) => Owned::Bits(vec![u32::MAX; case.length(buffer)]),
        };
        let inputs: Vec<_> = signature.inputs.iter().map(make).collect();
        let mut outputs: Vec<_> = signature.outputs.iter().map(make).collect();
        fastest(|| {
            let sources: Vec<_> = (inputs.iter())
                .filter_map(|input| match input {
                    Owned::Signal(array) => Some(Source::Signal(array)),
                    Owned::State(array) => Some(Source::State(array)),
                    Owned::Parameter(array) => Some(Source::Parameter(Parameter::shared(&array[0]))),
                    // No template reads them.
                    Owned::Bits(_) => None,
                })
                .collect();
            let mut sinks: Vec<_> = (outputs.iter_mut())
                .map(|output| match output {
                    Owned::Signal(array) => Sink::Signal(array),
                    Owned::State(array) => Sink::State(array),
                    Owned::Parameter(array) => Sink::Parameter(array),
                    Owned::Bits(words) => Sink::Bits(words),
                })
                .collect();
            let (template, neurons) = (case.template, case.neurons);
            neuron.run(Call { template, neurons, gradient, inputs: &sources, outputs: &mut sinks })
        })
    }

    fn copy(&self, bytes: usize) -> Result<f64, Error> {
        fastest(copy_on_cpu(bytes))
    }
}

struct Gpu(CudaDevice);

/// Launches a measurement: several, so that waiting for the last does not count.
const LAUNCHES: usize = 10;

impl<E: Element> Timer<E> for Gpu {
    fn template<N: DeclaredNeuron>(&self, neuron: &N, gradient: Gradient, case: Case) -> Result<f64, Error> {
        enum Owned<E: Element> {
            Signal(CudaArray<E>),
            State(CudaArray<E::Real>),
            Bits(CudaArray<u32>),
        }
        impl<E: Element> Owned<E> {
            fn raw(&self) -> RawArray {
                match self {
                    Self::Signal(array) => array.raw(),
                    Self::State(array) => array.raw(),
                    Self::Bits(words) => words.raw(),
                }
            }
        }
        let signature = N::SPEC.signature(case.template);
        let array = |buffer: &BufferSpec, is_input: bool| -> Result<Owned<E>, Error> {
            let (device, len) = (&self.0, case.length(buffer));
            Ok(match buffer.class {
                Class::Signal if is_input => Owned::Signal(CudaArray::from_slice(device, &values(len))?),
                Class::State if is_input => Owned::State(CudaArray::from_slice(device, &values(len))?),
                Class::Signal => Owned::Signal(CudaArray::zeros(device, len)?),
                Class::State => Owned::State(CudaArray::zeros(device, len)?),
                Class::Bits => Owned::Bits(CudaArray::zeros(device, len)?),
            })
        };
        let arrays = |buffers: &[BufferSpec], is_input| {
            buffers.iter().map(|buffer| array(buffer, is_input)).collect::<Result<Vec<_>, _>>()
        };
        let (inputs, outputs) = (arrays(signature.inputs, true)?, arrays(signature.outputs, false)?);
        let own = signature.inputs.iter().filter(|buffer| buffer.extent == Extent::Parameter).count();
        let (inputs, parameters) = inputs.split_at(inputs.len() - own);
        let parameters: Vec<RawParameter> = (parameters.iter())
            .map(|array| RawParameter { address: array.raw().address, count: 1, inner: 1 })
            .collect();
        let Case { template, steps, neurons } = case;
        let prepared = PreparedCall::new::<E>(&self.0, neuron, template, gradient)?;
        let workspace = prepared.workspace_bytes(neurons, &parameters);
        let bytes = CudaArray::<f64>::zeros(&self.0, workspace.div_ceil(8))?;
        let call = RawCall {
            steps,
            neurons,
            inputs: &inputs.iter().map(Owned::raw).collect::<Vec<_>>(),
            parameters: &parameters,
            outputs: &outputs.iter().map(Owned::raw).collect::<Vec<_>>(),
            workspace: Some(RawArray { address: bytes.address(), len: workspace }),
            stream: None,
        };
        let seconds = fastest(|| {
            for _ in 0..LAUNCHES {
                // SAFETY: the arrays were made for the signature, on this device.
                unsafe { prepared.launch(&call)? };
            }
            Ok(self.0.synchronize()?)
        })?;
        Ok(seconds / LAUNCHES as f64)
    }

    fn copy(&self, bytes: usize) -> Result<f64, Error> {
        Ok(fastest(copies_on_cuda(&self.0, bytes, LAUNCHES)?)? / LAUNCHES as f64)
    }
}
