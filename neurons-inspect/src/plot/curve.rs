//! Firing rate against input, or what a neuron that does not fire gives for it.

use neurons_plot::{Align, COLORS, INK, Panel, QUIET, range, svg};

use super::Setup;
use crate::Error;
use crate::simulate::Reason;

/// Inputs that are tried.
const INPUTS: usize = 161;
/// Longest sequence.
const LONGEST: usize = 40_000;

/// What a neuron does under one constant input.
struct Response {
    input: f64,
    /// One over the first interval.
    first: Option<f64>,
    /// In the second half of the time.
    steady: f64,
}

pub fn draw(setup: &Setup) -> Result<String, Error> {
    let spec = setup.subject.neuron.spec();
    let (dt, unit, _) = setup.time();
    let (scale, y_label) = match unit {
        Some("ms") => (1000.0 / dt, "firing rate (Hz)".to_owned()),
        Some("s") => (1.0 / dt, "firing rate (Hz)".to_owned()),
        Some(unit) => (1.0 / dt, format!("spikes per {unit}")),
        None => (1.0, "spikes per step".to_owned()),
    };
    let y_label = if spec.fires() { y_label } else { "mean output".to_owned() };
    let responses = responses(setup, if spec.fires() { scale } else { 1.0 })?;
    let width = setup.width.unwrap_or(420);
    let svg = svg(width, 340, |canvas| {
        let title = if spec.fires() { "firing rate" } else { "output" };
        let others = setup.caption();
        let mut caption = format!("In the second half of {} steps", steps(setup));
        if !others.is_empty() {
            caption = format!("{caption}; {others}");
        }
        canvas.text((62.0, 28.0), 17.0, INK, Align::Left, &format!("{}: {title}", spec.name))?;
        canvas.text((62.0, 47.0), 12.0, QUIET, Align::Left, &caption)?;
        let across = (responses[0].input, responses[INPUTS - 1].input);
        let (across, is_reversed) =
            if across.0 > across.1 { ((across.1, across.0), true) } else { (across, false) };
        let values = responses
            .iter()
            .flat_map(|response| [response.steady, response.first.unwrap_or(response.steady)]);
        let range = range(values.chain([0.0]), 0.05);
        let range = (if spec.fires() { 0.0 } else { range.0 }, range.1);
        let panel = Panel {
            canvas,
            left: 62.0,
            right: f64::from(width) - 24.0,
            top: 84.0,
            bottom: 282.0,
            across,
            range,
        };
        panel.heading(&y_label)?;
        panel.y_axis(5)?;
        panel.x_axis(5, &format!("constant input {}", setup.input_label()))?;
        if let Reason::Rheobase(rheobase) = setup.drive.reason {
            panel.dashed([(rheobase, range.0), (rheobase, range.1)], QUIET)?;
            let (align, space) = if is_reversed { (Align::Left, 4.0) } else { (Align::Right, -4.0) };
            panel.note((panel.x(rheobase) + space, panel.top + 6.0), align, QUIET, "rheobase")?;
        }
        let first = responses.iter().filter_map(|response| Some((response.input, response.first?)));
        let steady = responses.iter().map(|response| (response.input, response.steady));
        if !spec.fires() {
            return panel.line(steady, COLORS[0], 1.5);
        }
        // The two are the same for a neuron that does not adapt.
        let differ =
            responses.iter().any(|r| r.first.is_some_and(|first| first > 1.1 * r.steady && r.steady > 0.0));
        if differ {
            panel.line(first, COLORS[1], 1.25)?;
            panel.note((panel.right - 50.0, panel.top - 10.0), Align::Right, COLORS[1], "first interval")?;
            panel.note((panel.right, panel.top - 10.0), Align::Right, COLORS[0], "steady")?;
        }
        panel.line(steady, COLORS[0], 1.5)
    })?;
    Ok(svg)
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len().max(1) as f64
}

/// How long each input is held.
fn steps(setup: &Setup) -> usize {
    (4 * setup.steps).min(LONGEST)
}

fn responses(setup: &Setup, scale: f64) -> Result<Vec<Response>, Error> {
    let fires = setup.subject.neuron.spec().fires();
    // 2.5 times the amplitude is nearly four times the rheobase.
    let (from, to) = if fires { (0.0, 2.5) } else { (-2.5, 2.5) };
    let part = |i: usize| from + (to - from) * i as f64 / (INPUTS - 1) as f64;
    let inputs: Vec<f64> = (0..INPUTS).map(|i| setup.drive.amplitude * part(i)).collect();
    let steps = steps(setup);
    let outputs =
        setup.subject.responses(&inputs.iter().map(|input| *input as f32).collect::<Vec<_>>(), steps)?;
    let response = |(input, output): (f64, Vec<f32>)| {
        let spikes = setup.subject.spikes(&output);
        let first = spikes.windows(2).next().map(|pair| scale / (pair[1] - pair[0]) as f64);
        let late: Vec<usize> = spikes.into_iter().filter(|&t| t >= steps / 2).collect();
        let steady = match late[..] {
            _ if !fires => mean(&output[steps / 2..]),
            [first, .., last] => scale * (late.len() - 1) as f64 / (last - first) as f64,
            _ => 0.0,
        };
        Response { input, first: first.filter(|_| fires), steady }
    };
    Ok(inputs.into_iter().zip(outputs).map(response).collect())
}
