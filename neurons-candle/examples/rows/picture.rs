//! The picture: what the networks see, and how they learn to remember it.

use std::path::Path;

use anyhow::{Context, Result};
use neurons_plot::{Align, COLORS as LAYERS, Canvas, Color, Drawn, FAINT, INK, PAPER, QUIET, shade, svg};

use crate::common::data::{Digit, SIDE};
use crate::network::{PIXELS, Task};
use crate::train::Run;

const WIDTH: u32 = 860;
const HEIGHT: u32 = 660;
/// Where both panels begin and end.
const X: (f64, f64) = (88.0, 742.0);
/// Bottom and top of the learning curves.
const Y: (f64, f64) = (596.0, 300.0);
/// Of the input.
const INPUT: (f64, f64) = (116.0, 206.0);

/// How networks with the same neurons learned, one a seed.
pub struct Curves {
    pub name: &'static str,
    pub runs: Vec<Run>,
}

impl Curves {
    /// Lowest, mean and highest accuracy after `epoch` epochs.
    pub fn at(&self, epoch: usize) -> (f32, f32, f32) {
        let all = || self.runs.iter().map(|run| run.accuracy[epoch]);
        let mean = all().sum::<f32>() / self.runs.len() as f32;
        (all().fold(f32::INFINITY, f32::min), mean, all().fold(0.0, f32::max))
    }

    fn epochs(&self) -> usize {
        self.runs.first().map_or(0, |run| run.accuracy.len() - 1)
    }
}

/// Draws the input that is made of `digit`, and the curves, of accuracies with digits of the split `split`.
pub fn draw(all: &[Curves], task: Task, split: &str, digit: &Digit, file: &Path) -> Result<()> {
    let svg = svg(WIDTH, HEIGHT, |canvas| {
        let title = "Remembering a digit";
        canvas.text((X.0, 40.0), 22.0, INK, Align::Left, title)?;
        let subtitle = format!(
            "A recurrent spiking network sees a digit pixel by pixel, then nothing for {} steps, then has to name it.",
            task.delay
        );
        canvas.text((X.0, 66.0), 13.0, QUIET, Align::Left, &subtitle)?;
        input(canvas, task, digit)?;
        learning(canvas, all, split)
    })?;
    std::fs::write(file, svg).with_context(|| format!("cannot write {}", file.display()))
}

/// The digit, and the two inputs over time that are made of it.
fn input(canvas: &Canvas, task: Task, digit: &Digit) -> Drawn {
    let (top, bottom) = INPUT;
    let x = |t: usize| X.0 + (X.1 - X.0) * t as f64 / task.steps() as f64;
    // The question has a fifth of the height.
    let middle = top + 0.8 * (bottom - top);
    let cell = (middle - top) / SIDE as f64;
    canvas.rectangle((X.0 - 1.0, top - 1.0), (X.1 + 1.0, bottom + 1.0), FAINT)?;
    canvas.rectangle((X.0, top), (X.1, bottom), PAPER)?;
    for (t, &pixel) in digit.pixels.iter().enumerate() {
        let (row, column) = ((t / SIDE) as f64, (t % SIDE) as f64);
        if t % SIDE == 0 {
            canvas.line([(x(t), top), (x(t), middle)], FAINT, 0.75)?;
        }
        canvas.rectangle((x(t), middle - (middle - top) * f64::from(pixel)), (x(t + 1), middle), INK)?;
        let corner = (X.1 + 18.0 + column * cell, top + row * cell);
        canvas.rectangle(corner, (corner.0 + cell, corner.1 + cell), shade(INK, pixel))?;
    }
    canvas.line([(x(PIXELS), top), (x(PIXELS), middle)], FAINT, 0.75)?;
    canvas.line([(X.0, middle), (X.1, middle)], FAINT, 0.75)?;
    canvas.rectangle((x(task.question()), middle + 3.0), (X.1, bottom), INK)?;
    let label = |from: usize, to: usize, text: &str| {
        let center = f64::midpoint(x(from), x(to));
        canvas.text((center, top - 12.0), 11.0, QUIET, Align::Center, text)
    };
    label(0, PIXELS, "8 rows of 8 pixels")?;
    label(PIXELS, task.question(), &format!("{} steps of nothing", task.delay))?;
    label(task.question(), task.steps(), "answer")?;
    let names = X.0 - 14.0;
    canvas.text((names, f64::midpoint(top, middle)), 11.0, QUIET, Align::Right, "pixel")?;
    canvas.text((names, f64::midpoint(middle, bottom)), 11.0, QUIET, Align::Right, "question")?;
    for t in (0..=task.steps()).step_by(20) {
        canvas.text((x(t), bottom + 12.0), 11.0, QUIET, Align::Center, &t.to_string())?;
    }
    canvas.text((f64::midpoint(X.0, X.1), bottom + 30.0), 12.0, QUIET, Align::Center, "time step")
}

/// Accuracy over epochs: of each run, and the mean.
fn learning(canvas: &Canvas, all: &[Curves], split: &str) -> Drawn {
    let epochs = all.iter().map(Curves::epochs).max().unwrap_or(1);
    let x = |epoch: usize| X.0 + (X.1 - X.0) * epoch as f64 / epochs as f64;
    let y = |accuracy: f32| Y.0 + (Y.1 - Y.0) * f64::from(accuracy);
    let seeds = all.first().map_or(0, |curves| curves.runs.len());
    let heading = format!("Accuracy with {split} digits: {seeds} seeds, and their mean");
    canvas.text((X.0, Y.1 - 22.0), 13.0, INK, Align::Left, &heading)?;
    for tenth in [0, 2, 4, 6, 8, 10u8] {
        let value = f32::from(tenth) / 10.0;
        canvas.line([(X.0, y(value)), (X.1, y(value))], FAINT, 0.75)?;
        canvas.text((X.0 - 10.0, y(value)), 11.0, QUIET, Align::Right, &format!("{value:.1}"))?;
    }
    let tick = epochs.div_ceil(6).next_multiple_of(if epochs > 30 { 10 } else { 1 });
    for epoch in (0..=epochs).step_by(tick) {
        canvas.line([(x(epoch), Y.0), (x(epoch), Y.0 + 4.0)], QUIET, 0.75)?;
        canvas.text((x(epoch), Y.0 + 14.0), 11.0, QUIET, Align::Center, &epoch.to_string())?;
    }
    canvas.text((f64::midpoint(X.0, X.1), Y.0 + 34.0), 12.0, QUIET, Align::Center, "epoch")?;
    let guess = y(0.1);
    canvas.dashed([(X.0, guess), (X.1, guess)], QUIET, 0.75, 3.0)?;
    canvas.text((X.1 + 10.0, guess), 11.0, QUIET, Align::Left, "guessing")?;

    let colors: Vec<Color> = LAYERS.into_iter().cycle().take(all.len()).collect();
    for (curves, &color) in all.iter().zip(&colors) {
        for run in &curves.runs {
            let points = run.accuracy.iter().enumerate().map(|(epoch, &accuracy)| (x(epoch), y(accuracy)));
            canvas.line(points, shade(color, 0.3), 0.75)?;
        }
    }
    // Means above all runs.
    let mut taken: Vec<f64> = vec![guess];
    for (curves, &color) in all.iter().zip(&colors) {
        let means = (0..=curves.epochs()).map(|epoch| (x(epoch), y(curves.at(epoch).1)));
        canvas.line(means, color, 1.75)?;
        let mean = curves.at(curves.epochs()).1;
        let mut at = y(mean);
        while taken.iter().any(|other| (other - at).abs() < 16.0) {
            at += 1.0;
        }
        taken.push(at);
        canvas.text((X.1 + 10.0, at), 13.0, color, Align::Left, &format!("{} {mean:.2}", curves.name))?;
    }
    Ok(())
}
