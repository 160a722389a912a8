//! Pictures of what a neuron does, as SVG; the same bytes on every machine.

mod contour;
mod curve;
mod gradient;
mod phase;
mod surrogates;
mod trace;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use neuron_runtime::{Gradient, Reset, Surrogate};
pub(crate) use phase::Axes;

use crate::neuron::{Declared, File, in_file, surrogate};
use crate::show::resets;
use crate::simulate::{Drive, Field, Reason, Shape, Stimulus, Subject};
use crate::{Error, Neurons, units};

/// What to draw.
#[derive(Args, Debug)]
#[allow(clippy::doc_markdown)]
pub struct Plot {
    /// Name of the neuron; case, `_` and `-` are ignored. Or a file with its declaration: `lif.rs`, `neurons.rs:Lif`, `-`.
    /// For --kind surrogate, a surrogate or a file with surrogates
    neuron: Option<String>,
    /// Kind of plot
    #[arg(long, value_enum, default_value_t = Kind::Trace)]
    kind: Kind,
    /// File to write, `-` for standard output; by default named after the neuron and the kind
    #[arg(long, short, value_name = "FILE.svg")]
    out: Option<PathBuf>,

    /// Shape of the input over time
    #[arg(long, value_enum, default_value_t = Shape::Step)]
    input: Shape,
    /// Strength of the input, by default 1.5 times the rheobase
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = finite)]
    amplitude: Option<f64>,
    /// Number of steps, by default about eight spikes
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    steps: Option<u32>,
    /// Set a parameter, a flag, or an input after the first; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Reset mode, by default the first declared
    #[arg(long, value_parser = resets())]
    reset: Option<Reset>,
    /// For --kind phase: the state on the vertical axis, by default the first besides `v`
    #[arg(long, value_name = "NAME")]
    state: Option<String>,
    /// For --kind phase: the state on the horizontal axis, by default `v`
    #[arg(long, value_name = "NAME")]
    across: Option<String>,
    /// Seed of the noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// For --kind gradient: the surrogate gradient of spikes, one of the library or of the neuron's file; or a file with
    /// its declaration
    #[arg(long, value_name = "NAME", default_value = "ATan")]
    surrogate: String,
    /// For --kind gradient: take the spike in the reset as a constant
    #[arg(long)]
    detach_reset: bool,
}

/// What to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Input, membrane potential, threshold, spikes and other states over time
    Trace,
    /// Firing rate against input
    Fi,
    /// Phase plane of the potential and another state, or of any two, with nullclines
    Phase,
    /// Surrogate gradients and their primitives: all of the library, those of a file, or one
    Surrogate,
    /// Gradients of the potential and of the output at the end with respect to the input, over time
    Gradient,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Fi => "fi",
            Self::Phase => "phase",
            Self::Surrogate => "surrogate",
            Self::Gradient => "gradient",
        }
    }
}

fn finite(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if number.is_finite() { Ok(number) } else { Err("not a finite number".to_owned()) }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let (name, value) =
        parts.ok_or_else(|| format!("expected `NAME=VALUE`, such as `tau=20`, found `{text}`"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// A neuron and what it is given.
pub(crate) struct Setup {
    pub subject: Subject,
    pub field: Field,
    pub drive: Drive,
    pub steps: usize,
    pub stimulus: Stimulus,
    /// How spikes are differentiated.
    pub gradient: Gradient,
    /// Width of the picture, if not that of its kind.
    pub width: Option<u32>,
}

impl Setup {
    /// A neuron with defaults, under a step.
    ///
    /// # Errors
    /// Parameters out of range.
    pub fn new(subject: Subject) -> Result<Self, Error> {
        let drive = Drive::of(&subject)?;
        let steps = crate::simulate::duration(&subject, drive)?;
        let (field, stimulus) = (Field::new(&subject), Stimulus::Shaped(Shape::Step, 1));
        Ok(Self { field, subject, drive, steps, stimulus, gradient: Gradient::default(), width: None })
    }

    /// Time of a step, its unit, and what the axis is called.
    pub fn time(&self) -> (f64, Option<&'static str>, String) {
        let spec = self.subject.neuron.spec();
        match (units::of_time(spec), self.subject.neuron.get("dt")) {
            (Some(unit), Some(neuron_runtime::Value::Real(dt))) => (dt, Some(unit), format!("time ({unit})")),
            _ => (1.0, None, "time step".to_owned()),
        }
    }

    /// The first input with its unit.
    pub fn input_label(&self) -> String {
        let spec = self.subject.neuron.spec();
        units::label(spec.inputs[0], self.field.input_unit())
    }

    /// What is not a default.
    fn caption(&self) -> String {
        let neuron = &self.subject.neuron;
        let spec = neuron.spec();
        let mut parts = Vec::new();
        if neuron.spec().resets.len() > 1 || neuron.reset() != Reset::Hard {
            parts.extend(spec.fires().then(|| format!("{} reset", neuron.reset())));
        }
        let params = spec.params.iter().filter_map(|param| match neuron.get(param.name) {
            Some(neuron_runtime::Value::Real(value)) if value != param.default => {
                Some(format!("{} = {value}", param.name))
            }
            _ => None,
        });
        parts.extend(params);
        let flags = spec.flags.iter().filter_map(|flag| match neuron.get(flag.name) {
            Some(neuron_runtime::Value::Flag(value)) if value != flag.default => {
                Some(format!("{} = {value}", flag.name))
            }
            _ => None,
        });
        parts.extend(flags);
        parts.join(", ")
    }

    /// The strength of the input in words.
    fn strength(&self) -> String {
        let amplitude = self.drive.amplitude;
        let unit = self.field.input_unit().map(|unit| format!(" {unit}")).unwrap_or_default();
        match self.drive.reason {
            Reason::Rheobase(_) => format!("{amplitude}{unit}, 1.5 times the rheobase"),
            _ => format!("{amplitude}{unit}"),
        }
    }
}

/// Draws, and says where.
///
/// # Errors
/// Names that are not there, values out of range, files that cannot be written: see [`Error`].
pub fn plot(neurons: &Neurons, args: &Plot, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Error> {
    let kind = args.kind;
    if let Some(path) = args.out.as_ref().filter(|path| !is_svg(path)) {
        return Err(Error::NotSvg { path: path.clone() });
    }
    let (svg, name) = match (args.neuron.as_deref(), kind) {
        (name, Kind::Surrogate) => match chosen(neurons, name)?.as_slice() {
            [one] => (surrogates::draw_one(one, 520)?, one.name().to_lowercase()),
            several => (surrogates::draw(several)?, "surrogates".to_owned()),
        },
        (None, _) => return Err(Error::NoNeuron { kind: kind.name() }),
        (Some(name), _) => {
            let (neuron, own) = match in_file(name) {
                Some((path, declared)) => {
                    let file = File::read(path)?;
                    (file.neuron(declared)?, file.surrogates().collect())
                }
                None => (neurons.find(name)?.boxed(), Vec::new()),
            };
            let setup = setup(&*neuron, &own, args)?;
            let name = format!("{}-{}", neuron.spec().module.trim_end_matches('_'), kind.name());
            let axes = Axes { across: args.across.as_deref(), up: args.state.as_deref() };
            (draw(&setup, kind, axes)?, name)
        }
    };
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.svg")));
    if path == Path::new("-") {
        return Ok(write!(out, "{svg}")?);
    }
    std::fs::write(&path, svg).map_err(Error::file("write", &path))?;
    Ok(writeln!(err, "wrote {}", path.display())?)
}

/// The surrogates that are meant by `name`: the one of that name, those of a file; all of the library without a name, and
/// for a neuron, which has none of its own.
fn chosen(neurons: &Neurons, name: Option<&str>) -> Result<Vec<Surrogate>, Error> {
    let own = match name.map(|name| (in_file(name), name)) {
        Some((Some((path, declared)), _)) => {
            let file = File::read(path)?;
            match (declared.map(|name| file.find(Some(name))).transpose()?, declared) {
                (Some(Declared::Surrogate(surrogate)), _) => vec![surrogate],
                _ => file.surrogates().collect(),
            }
        }
        Some((None, name)) => match (neurons.find(name), Surrogate::from_name(name, &[])) {
            (Err(_), Ok(surrogate)) => vec![surrogate],
            (neuron, _) => neuron.map(|_| Vec::new())?,
        },
        None => Vec::new(),
    };
    Ok(if own.is_empty() { Surrogate::all().collect() } else { own })
}

fn is_svg(path: &Path) -> bool {
    path == Path::new("-") || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg"))
}

fn setup(neuron: &dyn neuron_runtime::Neuron, own: &[Surrogate], args: &Plot) -> Result<Setup, Error> {
    let mut subject = Subject::new(neuron)?;
    for (name, value) in &args.set {
        subject.set(name, value)?;
    }
    if let Some(reset) = args.reset {
        subject.neuron.set_reset(reset);
    }
    subject.neuron.validate()?;
    let drive = match args.amplitude {
        Some(amplitude) => Drive { amplitude, reason: Reason::Given },
        None => Drive::of(&subject)?,
    };
    let steps = match args.steps {
        Some(steps) => steps as usize,
        None => crate::simulate::duration(&subject, drive)?,
    };
    let (field, stimulus) = (Field::new(&subject), Stimulus::Shaped(args.input, args.seed));
    let surrogate = surrogate(&args.surrogate, own)?;
    let gradient = Gradient { surrogate, detach_reset: args.detach_reset };
    Ok(Setup { subject, field, drive, steps, stimulus, gradient, width: None })
}

/// All surrogates of the library.
pub(crate) fn surrogates() -> Result<String, Error> {
    surrogates::draw(&Surrogate::all().collect::<Vec<_>>())
}

/// A picture of a neuron.
pub(crate) fn draw(setup: &Setup, kind: Kind, axes: Axes<'_>) -> Result<String, Error> {
    match kind {
        Kind::Trace => trace::draw(setup),
        Kind::Fi => curve::draw(setup),
        Kind::Phase => phase::draw(setup, axes),
        Kind::Surrogate => surrogates::draw_one(&setup.gradient.surrogate, setup.width.unwrap_or(520)),
        Kind::Gradient => gradient::draw(setup),
    }
}
