//! `neurons doctor`: what this machine has, what will be used, and how to fix what is missing.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use neuron_codegen::build::search::Search;
use neuron_codegen::build::settings::Format;
use neuron_runtime::Isa;
use neuron_runtime::cuda::{self, CudaDevice, CudaError};
use serde::Serialize;

use crate::output::{BAD, GOOD, HEADING, QUIET};
use crate::{Error, Neurons};

/// What was found. Fields are added to it, never changed.
#[derive(Debug, Serialize)]
pub struct Findings {
    version: &'static str,
    cpu: Cpu,
    /// The newest CUDA that the driver knows, or what is wrong with the driver.
    driver: Finding,
    devices: Vec<Device>,
    /// The compiler of kernels at run time.
    nvrtc: Finding,
    /// The compiler of kernels when crates are built.
    compiler: Finding,
    cache: Cache,
    neurons: usize,
    /// Neurons that have kernels embedded.
    embedded: usize,
    /// What to do, if anything.
    advice: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Cpu {
    threads: usize,
    instructions: &'static str,
}

/// Something that was found, or the reason why not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Finding {
    Found(String),
    Missing(String),
}

#[derive(Debug, Serialize)]
struct Device {
    index: usize,
    name: String,
    architecture: String,
    memory_bytes: Option<usize>,
    /// What will be loaded for each format.
    formats: Vec<Choice>,
    /// What came of loading the first neuron's float32 kernels.
    trial: Finding,
}

#[derive(Debug, Serialize)]
struct Choice {
    format: &'static str,
    /// What is tried first, `sm_90`, and for how many neurons.
    images: Vec<(String, usize)>,
}

#[derive(Debug, Serialize)]
struct Cache {
    path: Option<String>,
    writable: bool,
    files: usize,
    bytes: u64,
}

/// What is in place of an image that is not embedded.
const SOURCE: &str = "source";

/// Looks at the machine.
pub fn examine(neurons: &Neurons) -> Findings {
    let instructions = Isa::current().name();
    let version = |(major, minor): (u32, u32)| format!("{major}.{minor}");
    let driver = match CudaDevice::driver_version() {
        Ok(newest) => Finding::Found(format!("CUDA {}", version(newest))),
        Err(error) => Finding::Missing(error.to_string()),
    };
    let nvrtc = match cuda::nvrtc_version() {
        Some(found) => Finding::Found(format!("NVRTC {}", version(found))),
        None => Finding::Missing("the dynamic loader finds no libnvrtc.so".to_owned()),
    };
    let compiler = match Search::new(&|name| std::env::var_os(name)).find() {
        Ok(compiler) => Finding::Found(compiler.description()),
        Err(error) => Finding::Missing(error.to_string().replace('\n', " ")),
    };
    let devices = match CudaDevice::count() {
        Ok(count) => (0..count).map(|index| device(index, neurons)).collect(),
        Err(_) => Vec::new(),
    };
    let embedded = neurons.iter().filter(|neuron| !neuron.spec().cuda.images().is_empty()).count();
    let mut findings = Findings {
        version: env!("CARGO_PKG_VERSION"),
        cpu: Cpu { threads: rayon::current_num_threads(), instructions },
        driver,
        devices,
        nvrtc,
        compiler,
        cache: cache(),
        neurons: neurons.iter().count(),
        embedded,
        advice: Vec::new(),
    };
    findings.advise();
    findings
}

fn device(index: usize, neurons: &Neurons) -> Device {
    let unusable = |error: CudaError| Device {
        index,
        name: "unknown GPU".to_owned(),
        architecture: String::new(),
        memory_bytes: None,
        formats: Vec::new(),
        trial: Finding::Missing(error.to_string()),
    };
    let device = match CudaDevice::new(index) {
        Ok(device) => device,
        Err(error) => return unusable(error),
    };
    let (major, minor) = device.architecture();
    let formats = Format::ALL.map(|format| {
        let mut images: Vec<(String, usize)> = Vec::new();
        for neuron in neurons.iter() {
            let image = cuda::image_for(&neuron.spec().cuda, format, (major, minor));
            let target = image.map_or(SOURCE.to_owned(), |image| image.target.to_string());
            match images.iter_mut().find(|(known, _)| *known == target) {
                Some((_, count)) => *count += 1,
                None => images.push((target, 1)),
            }
        }
        Choice { format: format.name(), images }
    });
    let trial = neurons.iter().next().map(|neuron| {
        let start = Instant::now();
        match neuron_runtime::cuda::load::<f32>(&device, neuron.spec()) {
            Ok(source) => {
                let milliseconds = start.elapsed().as_secs_f64() * 1e3;
                let name = neuron.spec().name;
                Finding::Found(format!("{name} in float32 loads from {source}, {milliseconds:.1} ms"))
            }
            Err(error) => Finding::Missing(error.to_string().trim_end().to_owned()),
        }
    });
    Device {
        index,
        name: device.name(),
        architecture: format!("sm_{major}{minor}"),
        memory_bytes: device.memory().ok(),
        formats: formats.into(),
        trial: trial.unwrap_or_else(|| Finding::Missing("there are no neurons".to_owned())),
    }
}

fn cache() -> Cache {
    let Some(path) = cuda::cache_directory() else {
        return Cache { path: None, writable: false, files: 0, bytes: 0 };
    };
    let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
    let sizes: Vec<u64> = entries.filter_map(|entry| Some(entry.metadata().ok()?.len())).collect();
    let (files, bytes) = (sizes.len(), sizes.iter().sum());
    Cache { writable: is_writable(&path), path: Some(path.display().to_string()), files, bytes }
}

/// Whether a file can be created in a directory, which may not exist yet. Removes what it creates.
fn is_writable(folder: &Path) -> bool {
    let was_there = folder.is_dir();
    let file = folder.join(format!("doctor-{}", std::process::id()));
    let made = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, []));
    // An empty file that cannot be removed does no harm.
    let _ = std::fs::remove_file(&file);
    if !was_there {
        let _ = std::fs::remove_dir(folder);
    }
    made.is_ok()
}

impl Findings {
    fn advise(&mut self) {
        let mut advice = Vec::new();
        let mut say = |text: &str| advice.push(text.to_owned());
        let (has_driver, has_nvrtc) =
            (matches!(self.driver, Finding::Found(_)), matches!(self.nvrtc, Finding::Found(_)));
        if !has_driver {
            say(
                "GPUs: install the NVIDIA driver. `nvidia-smi` lists what it finds. In a container, start it with access to the GPUs (`docker run --gpus all`).",
            );
        } else if self.devices.is_empty() {
            say("GPUs: the driver finds none; check `nvidia-smi` and CUDA_VISIBLE_DEVICES.");
        }
        let needs_source =
            self.devices.iter().flat_map(|device| &device.formats).flat_map(|choice| &choice.images);
        let needs_source = needs_source.into_iter().any(|(target, _)| target == SOURCE);
        match &self.compiler {
            Finding::Missing(_) if self.embedded < self.neurons => {
                say("Kernels: to embed them, install NVRTC (`pip install nvidia-cuda-nvrtc`) and rebuild.");
            }
            Finding::Found(_) if self.embedded < self.neurons => {
                say(
                    "Kernels: some are not embedded although there is a compiler. Build without NEURON_CUDA=off; your own crate needs a build script: `neuron_codegen::build::neurons()`.",
                );
            }
            _ => {}
        }
        if needs_source && !has_nvrtc {
            say(
                "Compiling at run time: add the directory of libnvrtc.so to LD_LIBRARY_PATH, or embed kernels for this GPU when building: NEURON_CUDA_TARGETS, NEURON_CUDA_FORMATS=all.",
            );
        }
        if needs_source && !self.cache.writable {
            say(
                "Cache: set NEURON_CACHE to a writable directory; otherwise kernels are compiled in every process.",
            );
        }
        self.advice = advice;
    }

    /// For people.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), Error> {
        writeln!(out, "{HEADING}neurons {}{HEADING:#}, {} neurons", self.version, self.neurons)?;
        let good =
            |out: &mut dyn Write, what: &str, text: &str| writeln!(out, "{GOOD}ok{GOOD:#}  {what:14} {text}");
        let bad = |out: &mut dyn Write, what: &str, text: &str| {
            let text = text.replace('\n', &format!("\n{:19}", ""));
            writeln!(out, "{BAD}--{BAD:#}  {what:14} {text}")
        };
        let finding = |out: &mut dyn Write, what: &str, finding: &Finding| match finding {
            Finding::Found(text) => good(out, what, text),
            Finding::Missing(text) => bad(out, what, text),
        };
        let Cpu { threads, instructions } = self.cpu;
        let s = if threads == 1 { "" } else { "s" };
        good(out, "CPU", &format!("{threads} thread{s}, {instructions} instructions"))?;
        finding(out, "driver", &self.driver)?;
        for device in &self.devices {
            let memory =
                device.memory_bytes.map(|bytes| format!(", {:.1} GiB", bytes as f64 / f64::from(1 << 30)));
            let what = format!("GPU {}", device.index);
            let name = format!("{}, {}{}", device.name, device.architecture, memory.unwrap_or_default());
            good(out, &what, &name)?;
            for Choice { format, images } in &device.formats {
                let images = images.iter().map(|(target, count)| format!("{target} for {count} neurons"));
                let images = images.collect::<Vec<_>>().join(", ");
                writeln!(out, "{:19}{QUIET}{format:5}{QUIET:#} {images}", "")?;
            }
            finding(out, "  loading", &device.trial)?;
        }
        finding(out, "run compiler", &self.nvrtc)?;
        finding(out, "build compiler", &self.compiler)?;
        let embedded = format!("embedded for {} of {} neurons", self.embedded, self.neurons);
        if self.embedded == self.neurons {
            good(out, "kernels", &embedded)?
        } else {
            bad(out, "kernels", &embedded)?
        }
        let Cache { path, writable, files, bytes } = &self.cache;
        match path {
            None => bad(out, "cache", "nowhere: neither NEURON_CACHE, XDG_CACHE_HOME nor HOME is set")?,
            Some(path) => {
                let text = format!(
                    "{path}: {files} file{}, {:.1} MB",
                    if *files == 1 { "" } else { "s" },
                    *bytes as f64 / 1e6
                );
                if *writable {
                    good(out, "cache", &text)?
                } else {
                    bad(out, "cache", &format!("{text}, not writable"))?
                }
            }
        }
        writeln!(out)?;
        let uses = self.devices.iter().any(|device| matches!(device.trial, Finding::Found(_)));
        writeln!(
            out,
            "{}",
            if uses { "Neurons run on the CPU and on GPUs." } else { "Neurons run on the CPU." }
        )?;
        for advice in &self.advice {
            writeln!(out, "- {advice}")?;
        }
        Ok(())
    }
}

pub fn doctor(neurons: &Neurons, json: bool, out: &mut dyn Write) -> Result<(), Error> {
    let findings = examine(neurons);
    if json {
        serde_json::to_writer_pretty(&mut *out, &findings)?;
        return Ok(writeln!(out)?);
    }
    findings.write(out)
}
