//! What was measured: JSON lines of the `bench` example, a file a device.

use std::path::Path;

use serde::Deserialize;

use crate::Error;

/// All files of a folder.
pub struct Measurements(Vec<Device>);

/// One file: where and how, then what.
pub struct Device {
    name: String,
    pub header: Header,
    pub records: Vec<Record>,
}

/// The first line of a file.
#[derive(Deserialize)]
pub struct Header {
    pub date: String,
    pub machine: String,
    command: String,
}

/// Any other line. There is more in it than is needed here.
#[derive(Deserialize)]
pub struct Record {
    pub neuron: String,
    pub template: String,
    pub reset: String,
    pub dtype: String,
    pub t: usize,
    pub n: usize,
    pub seconds: f64,
    pub of_copy: f64,
}

/// The files `*.jsonl` of a folder in the order of their names; none if it is not there.
pub fn devices(folder: &Path) -> Result<Vec<Device>, Error> {
    let mut paths = Vec::new();
    if folder.is_dir() {
        for entry in std::fs::read_dir(folder).map_err(Error::file("read", folder))? {
            paths.push(entry.map_err(Error::file("read", folder))?.path());
        }
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    paths.iter().map(|path| Device::read(path)).collect()
}

impl Measurements {
    /// Of a folder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        devices(folder).map(Self)
    }

    /// Where and how it was measured.
    pub fn introduction(&self) -> String {
        if self.0.is_empty() {
            return "No measurements.".to_owned();
        }
        let each = self.0.iter().map(|device| {
            let Header { date, machine, command } = &device.header;
            format!("- {}: {machine}, {date}, `{command}`", device.name)
        });
        each.collect::<Vec<_>>().join("\n")
    }

    /// What the devices are called.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|device| device.name.as_str())
    }

    /// The figure of each device for a template of a neuron in float32.
    pub fn cells(&self, neuron: &str, template: &str) -> impl Iterator<Item = String> {
        self.0.iter().map(move |device| {
            let is_it = |record: &&Record| {
                record.neuron == neuron && record.template == template && record.dtype == "f32"
            };
            let record = device.records.iter().find(is_it);
            record.map_or_else(String::new, |record| {
                let picoseconds = record.seconds * 1e12 / (record.t as f64 * record.n as f64);
                format!("{} ps, {:.2}", digits(picoseconds), record.of_copy)
            })
        })
    }
}

impl Device {
    fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(Error::file("read", path))?;
        let wrong = |line: usize| {
            move |error: serde_json::Error| Error::Measurement {
                path: path.to_owned(),
                line: line + 1,
                reason: error.to_string(),
            }
        };
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let (place, header) = lines.next().unwrap_or((0, ""));
        let header = serde_json::from_str(header).map_err(wrong(place))?;
        let records = lines.map(|(place, line)| serde_json::from_str(line).map_err(wrong(place)));
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name, header, records: records.collect::<Result<_, _>>()? })
    }
}

/// Three digits.
fn digits(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
