//! The picture: a digit, the spikes it causes, membrane potentials of some neurons, and the answer.

use std::path::Path;

use anyhow::{Context, Result};
use neurons_plot::{Align, COLORS as LAYERS, Canvas, Color, Drawn, FAINT, INK, Panel, QUIET, shade, svg};

use crate::common::data::{Digit, SIDE};
use crate::network::{CLASSES, Network};
use crate::recording::{Layer, Neuron, Recording, record, sample};

/// Longer than in training, to see the rhythm of the neurons.
const STEPS: usize = 48;
const WIDTH: u32 = 1200;
const HEIGHT: u32 = 880;

/// The left column: the digit and what is made of it.
const COLUMN: f64 = 48.0;
const COLUMN_WIDTH: f64 = 216.0;
/// The right column: everything over time.
const TIME: (f64, f64) = (404.0, 1128.0);
const NAMES: [&str; 3] = ["convolution 1", "convolution 2", "dense"];

/// Draws what `network`, trained with `trained` steps, does with `digit`.
pub fn draw(network: &Network, digit: &Digit, trained: usize, file: &Path) -> Result<()> {
    let steps = STEPS.max(trained);
    let recording = record(network, digit, steps)?;
    let answer = winner(&recording.scores[trained - 1]);
    let svg = svg(WIDTH, HEIGHT, |canvas| {
        let title = "A spiking network reads a digit";
        canvas.text((COLUMN, 46.0), 25.0, INK, Align::Left, title)?;
        let subtitle = format!(
            "A held-out {}, read as {answer}. The image is a constant input current; \
             the answer is read after {trained} steps, the neurons are watched for {steps}.",
            digit.label
        );
        canvas.text((COLUMN, 76.0), 13.0, QUIET, Align::Left, &subtitle)?;

        input(canvas, digit)?;
        rates(canvas, &recording.layers[0])?;
        probabilities(canvas, &recording.scores[trained - 1])?;

        let panel = |top, bottom, range| Panel {
            canvas,
            left: TIME.0,
            right: TIME.1,
            top,
            bottom,
            across: (0.0, steps as f64),
            range,
        };
        deadline(&panel(124.0, 812.0, (0.0, 1.0)), trained)?;
        spikes(&panel(136.0, 432.0, (0.0, 1.0)), &recording)?;
        potentials(canvas, steps, &recording, network.lif().neuron().v_threshold)?;
        scores(&panel(716.0, 812.0, range(&recording.scores)), &recording.scores, answer)?;
        time_axis(&panel(812.0, 812.0, (0.0, 1.0)), steps)
    })?;
    std::fs::write(file, svg).with_context(|| format!("cannot write {}", file.display()))
}

/// The middle of step `t`: each has a slot.
fn middle(panel: &Panel, t: usize) -> f64 {
    panel.x(t as f64 + 0.5)
}

fn heading(canvas: &Canvas, x: f64, y: f64, text: &str) -> Drawn {
    canvas.text((x, y), 13.0, INK, Align::Left, text)
}

/// A square image of `size` points, framed.
fn heat_map(
    canvas: &Canvas,
    (x, y): (f64, f64),
    size: f64,
    color: Color,
    values: impl Fn(usize) -> f32,
) -> Drawn {
    let cell = size / SIDE as f64;
    canvas.rectangle((x - 1.0, y - 1.0), (x + size + 1.0, y + size + 1.0), FAINT)?;
    for i in 0..SIDE * SIDE {
        let from = (x + (i % SIDE) as f64 * cell, y + (i / SIDE) as f64 * cell);
        canvas.rectangle(from, (from.0 + cell, from.1 + cell), shade(color, values(i)))?;
    }
    Ok(())
}

fn input(canvas: &Canvas, digit: &Digit) -> Drawn {
    heading(canvas, COLUMN, 116.0, "Input")?;
    heat_map(canvas, (COLUMN, 136.0), COLUMN_WIDTH, INK, |i| digit.pixels[i])
}

/// Where the first layer fires: a map for each of the 16 channels that tell most about the image.
fn rates(canvas: &Canvas, layer: &Layer) -> Drawn {
    const SHOWN: usize = 4;
    let channels = layer.len() / (SIDE * SIDE);
    let map = |channel: usize| move |i: usize| layer[i * channels + channel].rate();
    let variance = |channel: &usize| {
        let rates: Vec<_> = (0..SIDE * SIDE).map(map(*channel)).collect();
        let mean = rates.iter().sum::<f32>() / rates.len() as f32;
        rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f32>()
    };
    let mut order: Vec<_> = (0..channels).collect();
    order.sort_by(|a, b| variance(b).total_cmp(&variance(a)));
    let highest = layer.iter().map(Neuron::rate).fold(f32::MIN_POSITIVE, f32::max);

    let top = 400.0;
    heading(canvas, COLUMN, top, "Firing rates, convolution 1")?;
    let (gap, y) = (8.0, top + 20.0);
    let size = (COLUMN_WIDTH - gap * (SHOWN - 1) as f64) / SHOWN as f64;
    for (i, channel) in order.into_iter().take(SHOWN * SHOWN).enumerate() {
        let at = (COLUMN + (i % SHOWN) as f64 * (size + gap), y + (i / SHOWN) as f64 * (size + gap));
        heat_map(canvas, at, size, LAYERS[0], |i| map(channel)(i) / highest)?;
    }

    // The key: what the darkest shade means.
    let (y, right) = (y + COLUMN_WIDTH + 14.0, COLUMN + COLUMN_WIDTH);
    canvas.text((COLUMN, y), 11.0, QUIET, Align::Left, "0")?;
    let (from, width) = (COLUMN + 12.0, 69.0);
    for i in 0..23 {
        let x = from + width * f64::from(i) / 23.0;
        canvas.rectangle((x, y - 3.0), (x + width / 23.0, y + 3.0), shade(LAYERS[0], i as f32 / 22.0))?;
    }
    canvas.text((right, y), 11.0, QUIET, Align::Right, &format!("{highest:.2} spikes per step"))
}

/// The answer, as the softmax of the scores.
fn probabilities(canvas: &Canvas, scores: &[f32; CLASSES]) -> Drawn {
    let highest = scores.iter().copied().fold(f32::MIN, f32::max);
    let weights = scores.map(|score| (score - highest).exp());
    let sum: f32 = weights.iter().sum();
    let best = winner(scores);

    heading(canvas, COLUMN, 698.0, "Answer")?;
    let (top, bottom) = (722.0, 812.0);
    let slot = COLUMN_WIDTH / CLASSES as f64;
    canvas.line([(COLUMN, bottom), (COLUMN + COLUMN_WIDTH, bottom)], FAINT, 1.0)?;
    for (class, weight) in weights.into_iter().enumerate() {
        let x = COLUMN + (class as f64 + 0.5) * slot;
        let y = bottom + (top - bottom) * f64::from(weight / sum);
        let color = if class == best { LAYERS[2] } else { QUIET };
        canvas.rectangle((x - 6.0, y.min(bottom - 0.75)), (x + 6.0, bottom), color)?;
        let ink = if class == best { LAYERS[2] } else { QUIET };
        canvas.text((x, bottom + 14.0), 12.0, ink, Align::Center, &class.to_string())?;
        if class == best {
            let percent = format!("{:.0} %", 100.0 * weight / sum);
            canvas.text((x, y - 9.0), 11.0, ink, Align::Center, &percent)?;
        }
    }
    canvas.text((COLUMN + COLUMN_WIDTH / 2.0, bottom + 38.0), 12.0, QUIET, Align::Center, "class")
}

/// When the answer is due: a line through all panels.
fn deadline(panel: &Panel, trained: usize) -> Drawn {
    let x = panel.x(trained as f64);
    panel.canvas.line([(x, panel.top), (x, panel.bottom)], FAINT, 1.0)?;
    panel.canvas.text((x + 5.0, panel.top - 7.0), 11.0, QUIET, Align::Left, "answer read here")
}

/// A dash for every spike of some neurons of each layer, the most active on top.
fn spikes(panel: &Panel, recording: &Recording) -> Drawn {
    const ROWS: [usize; 3] = [36, 30, 20];
    const GAP: f64 = 12.0;
    heading(panel.canvas, panel.left - 92.0, 116.0, "Spikes")?;
    let row = (panel.bottom - panel.top - 2.0 * GAP) / ROWS.iter().sum::<usize>() as f64;
    let half = 0.17 * (panel.x(1.0) - panel.x(0.0));
    let mut top = panel.top;
    for (((layer, color), name), rows) in recording.layers.iter().zip(LAYERS).zip(NAMES).zip(ROWS) {
        let neurons = sample(layer, rows);
        for (i, neuron) in neurons.iter().enumerate() {
            let y = top + i as f64 * row;
            for t in (0..recording.scores.len()).filter(|&t| neuron.spikes[t]) {
                let x = middle(panel, t);
                panel.canvas.rectangle((x - half, y), (x + half, y + row * 0.7), color)?;
            }
        }
        let middle = top + rows as f64 * row / 2.0;
        let label = format!("{} of {}", neurons.len(), layer.len());
        panel.canvas.text((panel.left - 14.0, middle - 7.0), 12.0, color, Align::Right, name)?;
        panel.canvas.text((panel.left - 14.0, middle + 8.0), 11.0, QUIET, Align::Right, &label)?;
        top += rows as f64 * row + GAP;
    }
    Ok(())
}

/// Two neurons of each layer: the potential after every step, with a stroke above the threshold for a spike.
fn potentials(canvas: &Canvas, steps: usize, recording: &Recording, threshold: f64) -> Drawn {
    const HEIGHT: f64 = 34.0;
    let top = 478.0;
    heading(canvas, TIME.0 - 92.0, top - 20.0, "Membrane potentials")?;
    // A frequent one and a rare one.
    let pick = |layer| sample(layer, 8).into_iter().skip(2).step_by(3).take(2);
    let neurons =
        recording.layers.iter().zip(LAYERS).flat_map(|(layer, color)| pick(layer).map(move |n| (n, color)));
    for (i, (neuron, color)) in neurons.enumerate() {
        let top = top + i as f64 * HEIGHT;
        let lowest = neuron.potential.iter().copied().fold(0.0, f32::min).max(-1.0);
        let range = (f64::from(lowest), 1.5 * threshold);
        let (left, right) = TIME;
        let panel = Panel {
            canvas,
            left,
            right,
            top,
            bottom: top + HEIGHT - 8.0,
            across: (0.0, steps as f64),
            range,
        };
        canvas.dashed([left, right].map(|x| (x, panel.y(threshold))), shade(QUIET, 0.5), 0.75, 2.0)?;
        trace(&panel, neuron, color, threshold)?;
        if i == 0 {
            let y = panel.y(threshold);
            canvas.text((left - 14.0, y), 11.0, QUIET, Align::Right, "threshold")?;
        }
    }
    Ok(())
}

fn trace(panel: &Panel, neuron: &Neuron, color: Color, threshold: f64) -> Drawn {
    let mut points = vec![(panel.x(0.0), panel.y(0.0))];
    for (t, (&spike, &v)) in neuron.spikes.iter().zip(&neuron.potential).enumerate() {
        let x = middle(panel, t);
        if spike {
            points.push((x, panel.y(threshold)));
            points.push((x, panel.top));
        }
        points.push((x, panel.y(f64::from(v).max(panel.range.0))));
    }
    panel.canvas.line(points, color, 1.0)
}

/// The mean score of every class so far; the answer in colour.
fn scores(panel: &Panel, scores: &[[f32; CLASSES]], answer: usize) -> Drawn {
    heading(panel.canvas, panel.left - 92.0, panel.top - 18.0, "Mean scores so far")?;
    panel.horizontal(0.0, FAINT, 1.0)?;
    panel.canvas.text((panel.left - 14.0, panel.y(0.0)), 11.0, QUIET, Align::Right, "0")?;
    let line = |class: usize, color, width| {
        let points = scores.iter().enumerate();
        let points = points.map(|(t, scores)| (middle(panel, t), panel.y(scores[class].into())));
        panel.canvas.line(points, color, width)
    };
    for class in (0..CLASSES).filter(|&class| class != answer) {
        line(class, shade(QUIET, 0.55), 0.75)?;
    }
    line(answer, LAYERS[2], 1.75)?;

    // Names at the end of the lines, as far as there is room between them.
    let Some(last) = scores.last() else { return Ok(()) };
    let mut order: Vec<_> = (0..CLASSES).filter(|&class| class != answer).collect();
    order.sort_by(|&a, &b| last[b].total_cmp(&last[a]));
    let mut taken: Vec<f64> = Vec::new();
    for class in std::iter::once(answer).chain(order) {
        let y = panel.y(last[class].into());
        if taken.iter().all(|other| (other - y).abs() >= 11.0) {
            let color = if class == answer { LAYERS[2] } else { QUIET };
            panel.canvas.text((panel.right + 8.0, y), 11.0, color, Align::Left, &class.to_string())?;
            taken.push(y);
        }
    }
    Ok(())
}

fn time_axis(panel: &Panel, steps: usize) -> Drawn {
    let y = panel.bottom + 6.0;
    panel.canvas.line([(panel.left, y), (panel.right, y)], QUIET, 0.75)?;
    for t in (0..=steps).step_by(steps.div_ceil(8).next_multiple_of(4)) {
        let x = panel.x(t as f64);
        panel.canvas.line([(x, y), (x, y + 4.0)], QUIET, 0.75)?;
        panel.canvas.text((x, y + 14.0), 11.0, QUIET, Align::Center, &t.to_string())?;
    }
    let middle = f64::midpoint(panel.left, panel.right);
    panel.canvas.text((middle, y + 32.0), 12.0, QUIET, Align::Center, "time step")
}

fn winner(scores: &[f32; CLASSES]) -> usize {
    (0..CLASSES).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or_default()
}

/// Lowest and highest score.
fn range(scores: &[[f32; CLASSES]]) -> (f64, f64) {
    let scores = scores.iter().flatten().copied().map(f64::from);
    scores.fold((-1e-6, 1e-6), |(low, high), score| (low.min(score), high.max(score)))
}
