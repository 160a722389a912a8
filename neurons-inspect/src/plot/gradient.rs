//! Gradient through time: how the potential and the output after the last step depend on the input of each step.

use neuron_runtime::{Array, MultiStep};
use neurons_plot::{Align, COLORS, FAINT, INK, Panel, QUIET, range, svg};

use super::Setup;
use crate::{Error, units};

const WIDTH: u32 = 520;
const LEFT: f64 = 62.0;
/// Above the first panel, and between panels: room for headings.
const TOP: f64 = 86.0;
const GAP: f64 = 36.0;
const HEIGHT: f64 = 100.0;

pub fn draw(setup: &Setup) -> Result<String, Error> {
    let spec = setup.subject.neuron.spec();
    let input = setup.stimulus.input(setup.drive.amplitude, setup.steps);
    let Through { output, of_potential, of_output } = through(setup, &input)?;
    let width = setup.width.unwrap_or(WIDTH);
    let height = TOP + 2.0 * HEIGHT + GAP + 50.0;
    svg(width, height.ceil() as u32, |canvas| {
        canvas.text(
            (LEFT, 28.0),
            17.0,
            INK,
            Align::Left,
            &format!("{}: gradient through time", spec.name),
        )?;
        canvas.text((LEFT, 49.0), 12.0, QUIET, Align::Left, &caption(setup))?;
        let (dt, _, time) = setup.time();
        let across = (0.0, setup.steps as f64 * dt);
        let unit = |of: Option<&str>| match (of, setup.field.input_unit()) {
            (Some(of), Some(by)) => Some(format!("{of}/{by}")),
            _ => None,
        };
        let panels = [
            ("v", of_potential, unit(units::of_state(spec, "v")), COLORS[0]),
            (spec.output, of_output, setup.field.input_unit().map(|by| format!("1/{by}")), COLORS[1]),
        ];
        let count = panels.len();
        for (place, (name, values, unit, color)) in panels.into_iter().enumerate() {
            let top = TOP + place as f64 * (HEIGHT + GAP);
            let range = range(values.iter().copied().chain([0.0]), 0.1);
            let (right, bottom) = (f64::from(width) - 24.0, top + HEIGHT);
            let panel = Panel { canvas, left: LEFT, right, top, bottom, across, range };
            let heading = format!("\u{2202}{name}[T] / \u{2202}{}[t]", spec.inputs[0]);
            panel.heading(&units::label(&heading, unit.as_deref()))?;
            for t in setup.subject.spikes(&output) {
                let x = panel.x((t + 1) as f64 * dt);
                canvas.line([(x, top), (x, bottom)], FAINT, 0.75)?;
            }
            panel.y_axis(3)?;
            panel.line(
                values.into_iter().enumerate().map(|(t, value)| (t as f64 * dt, value)),
                color,
                1.25,
            )?;
            if place + 1 == count {
                panel.x_axis(6, &time)?;
            }
        }
        Ok(())
    })
}

/// What is differentiated, and how.
fn caption(setup: &Setup) -> String {
    let fires = setup.subject.neuron.spec().fires();
    let surrogate = fires.then(|| {
        let detached = if setup.gradient.detach_reset { ", reset detached" } else { "" };
        format!(", with {}{detached}", setup.gradient.surrogate)
    });
    format!("Of the last step, T = {}{}", setup.steps, surrogate.unwrap_or_default())
}

/// The output of each step, and the gradients by the input of each step.
struct Through {
    output: Vec<f32>,
    of_potential: Vec<f64>,
    of_output: Vec<f64>,
}

fn through(setup: &Setup, input: &[f32]) -> Result<Through, Error> {
    let neuron = &setup.subject.neuron;
    let steps = input.len();
    let further = setup.subject.further.iter().map(|&value| Array::full([steps, 1], value as f32));
    let inputs: Vec<Array<f32>> = std::iter::once(Array::from_vec([steps, 1], input.to_vec()))
        .chain(further.map(Ok))
        .collect::<Result<_, _>>()?;
    let states: Vec<Array<f32>> =
        neuron.initial_state().into_iter().map(|value| Array::full([1], value as f32)).collect();
    let (inputs, states): (Vec<_>, Vec<_>) = (inputs.iter().collect(), states.iter().collect());
    let (stepped, context) = MultiStep::new(neuron.clone(), setup.gradient).forward_all(&inputs, &states)?;
    // Of a weighted sum of what the last step gives.
    let gradient = |of_output: f32, of_potential: f32| -> Result<Vec<f64>, Error> {
        let mut weights = vec![0.0; steps];
        weights[steps - 1] = of_output;
        let weights = Array::from_vec([steps, 1], weights)?;
        let of_states: Vec<Array<f32>> = (0..states.len())
            .map(|place| Array::full([1], if place == 0 { of_potential } else { 0.0 }))
            .collect();
        let grads = context.backward_all(&weights, &of_states.iter().collect::<Vec<_>>())?;
        let grad = grads.inputs.into_iter().next().map(Array::into_vec).transpose()?;
        Ok(grad.unwrap_or_default().into_iter().map(f64::from).collect())
    };
    Ok(Through {
        of_output: gradient(1.0, 0.0)?,
        of_potential: gradient(0.0, 1.0)?,
        output: stepped.spike.into_vec()?,
    })
}
