//! How time grows with steps and neurons, as a picture.

use std::path::Path;

use neurons_plot::{Align, COLORS, Canvas, Drawn, FAINT, INK, QUIET, svg};

use super::measurements::{Record, devices};
use crate::Error;

/// What is drawn of LIF: inference, and the two passes of training.
const TEMPLATES: [&str; 3] = ["fptt", "lean_fptt", "lean_bptt"];

/// Sizes of a panel and of what is around it.
const PANEL: (f64, f64) = (300.0, 200.0);
const MARGIN: (f64, f64) = (84.0, 92.0);
const GAP: (f64, f64) = (86.0, 84.0);

/// The picture of a folder of measurements, a row a device; `None` if there are none.
///
/// # Errors
/// [`Error::Measurement`], [`Error::Draw`]
pub fn draw(folder: &Path) -> Result<Option<String>, Error> {
    let mut devices = devices(folder)?;
    for device in &mut devices {
        device.records.retain(|record| {
            let Record { neuron, template, reset, dtype, .. } = record;
            let is_lif = [neuron, reset, dtype].map(String::as_str) == ["Lif", "hard", "f32"];
            is_lif && TEMPLATES.contains(&template.as_str())
        });
    }
    if devices.is_empty() {
        return Ok(None);
    }
    let width = MARGIN.0 + 2.0 * PANEL.0 + GAP.0 + 96.0;
    let height = MARGIN.1 + devices.len() as f64 * (PANEL.1 + GAP.1);
    svg(width as u32, height as u32, |canvas| {
        let title = "How time grows: LIF, hard reset, float32";
        canvas.text((MARGIN.0, 34.0), 20.0, INK, Align::Left, title)?;
        let about =
            "Solid: a call. Dashed, in the same colour: a copy that moves as many bytes, in the same run.";
        canvas.text((MARGIN.0, 58.0), 12.0, QUIET, Align::Left, about)?;
        for (row, device) in devices.iter().enumerate() {
            let top = MARGIN.1 + row as f64 * (PANEL.1 + GAP.1);
            let (t, n) = common(&device.records);
            let by_neurons: Vec<&Record> = device.records.iter().filter(|record| record.t == t).collect();
            let by_steps: Vec<&Record> = device.records.iter().filter(|record| record.n == n).collect();
            let head = format!("{}, {}", device.header.machine, device.header.date);
            canvas.text((MARGIN.0, top - 12.0), 12.0, INK, Align::Left, &head)?;
            let left = Panel::new((MARGIN.0, top), &by_neurons, |record| record.n);
            left.draw(canvas, &format!("neurons N, at T = {t}"), false)?;
            let right = Panel::new((MARGIN.0 + PANEL.0 + GAP.0, top), &by_steps, |record| record.t);
            right.draw(canvas, &format!("steps T, at N = {}", power(n)), true)?;
        }
        Ok(())
    })
    .map(Some)
}

/// The number of steps with the most numbers of neurons, and the reverse.
fn common(records: &[Record]) -> (usize, usize) {
    let most = |of: fn(&Record) -> usize| {
        let count = |value| records.iter().filter(|record| of(record) == value).count();
        records.iter().map(of).max_by_key(|&value| (count(value), value)).unwrap_or(1)
    };
    (most(|record| record.t), most(|record| record.n))
}

/// Time over one of the sizes, both logarithmic.
struct Panel<'a> {
    at: (f64, f64),
    records: &'a [&'a Record],
    size: fn(&Record) -> usize,
    /// Powers of two of the first and last size, and of ten of the shortest and longest time.
    sizes: (f64, f64),
    times: (f64, f64),
}

impl<'a> Panel<'a> {
    fn new(at: (f64, f64), records: &'a [&'a Record], size: fn(&Record) -> usize) -> Self {
        let range = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let sizes = range(&mut records.iter().map(|record| (size(record) as f64).log2()));
        let both = |record: &&'a Record| [record.seconds, record.seconds * record.of_copy];
        let times = range(&mut records.iter().flat_map(both).map(f64::log10));
        Self { at, records, size, sizes, times: (times.0.floor(), times.1.ceil()) }
    }

    fn place(&self, size: usize, seconds: f64) -> (f64, f64) {
        let part = |value: f64, (low, high): (f64, f64)| (value - low) / (high - low).max(1e-9);
        let x = self.at.0 + PANEL.0 * part((size as f64).log2(), self.sizes);
        (x, self.at.1 + PANEL.1 * (1.0 - part(seconds.log10(), self.times)))
    }

    fn draw(&self, canvas: &Canvas<'_>, axis: &str, names: bool) -> Drawn {
        let (left, right) = (self.at.0, self.at.0 + PANEL.0);
        let bottom = self.at.1 + PANEL.1;
        for exponent in self.times.0 as i32..=self.times.1 as i32 {
            let seconds = 10f64.powi(exponent);
            let y = self.place(1, seconds).1;
            canvas.line([(left, y), (right, y)], FAINT, 0.75)?;
            canvas.text((left - 8.0, y), 11.0, QUIET, Align::Right, &time(exponent))?;
        }
        let mut ticks: Vec<usize> = self.records.iter().map(|record| (self.size)(record)).collect();
        ticks.sort_unstable();
        ticks.dedup();
        for tick in ticks {
            let x = self.place(tick, 1.0).0;
            canvas.line([(x, bottom), (x, bottom + 4.0)], QUIET, 0.75)?;
            canvas.text((x, bottom + 14.0), 11.0, QUIET, Align::Center, &power(tick))?;
        }
        canvas.text((f64::midpoint(left, right), bottom + 34.0), 12.0, QUIET, Align::Center, axis)?;
        let mut labels: Vec<(f64, &str, usize)> = Vec::new();
        for (i, template) in TEMPLATES.into_iter().enumerate() {
            let mut of: Vec<&&Record> =
                self.records.iter().filter(|record| record.template == template).collect();
            of.sort_by_key(|record| (self.size)(record));
            let points = |time: fn(&Record) -> f64| {
                of.iter().map(move |record| self.place((self.size)(record), time(record))).collect::<Vec<_>>()
            };
            canvas.dashed(points(|record| record.seconds * record.of_copy), COLORS[i], 0.75, 3.0)?;
            let line = points(|record| record.seconds);
            labels.extend(line.last().map(|last| (last.1, template, i)));
            for &point in &line {
                canvas.dot(point, 2.0, COLORS[i])?;
            }
            canvas.line(line, COLORS[i], 1.5)?;
        }
        if !names {
            return Ok(());
        }
        // Below each other, where their lines end.
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut lowest = f64::NEG_INFINITY;
        for (y, name, i) in labels {
            lowest = y.max(lowest + 14.0);
            canvas.text((right + 8.0, lowest), 11.0, COLORS[i], Align::Left, name)?;
        }
        Ok(())
    }
}

/// `10 µs`
fn time(exponent: i32) -> String {
    let (unit, rest) = [("s", 0), ("ms", -3), ("µs", -6), ("ns", -9)]
        .into_iter()
        .map(|(unit, of)| (unit, exponent - of))
        .find(|(_, rest)| *rest >= 0)
        .unwrap_or(("ns", 0));
    format!("{} {unit}", 10u64.pow(rest.unsigned_abs()))
}

/// A power of two as that from 1024 on.
fn power(size: usize) -> String {
    const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    if size < 1024 || !size.is_power_of_two() {
        return size.to_string();
    }
    let digits = size.ilog2().to_string();
    let superscript: String =
        digits.chars().filter_map(|c| Some(SUPERSCRIPTS[c.to_digit(10)? as usize])).collect();
    format!("2{superscript}")
}
