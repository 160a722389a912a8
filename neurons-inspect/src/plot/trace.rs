//! Input, membrane potential, threshold, spikes and other states over time.

use neurons_plot::{Align, COLORS, Canvas, INK, Panel, QUIET, range, svg};

use super::Setup;
use crate::simulate::{Shape, Stimulus, Trace};
use crate::{Error, units};

const WIDTH: u32 = 720;
const LEFT: f64 = 66.0;
/// Right of the panels: the name of the threshold.
const MARGIN: f64 = 80.0;
/// Above the first panel, and between panels: room for headings.
const TOP: f64 = 86.0;
const GAP: f64 = 32.0;
/// Below the last panel: the axis.
const BOTTOM: f64 = 50.0;

/// What a panel shows.
#[derive(Clone, Copy)]
enum Part {
    Input,
    Membrane,
    Output,
    /// The state of that number.
    State(usize),
}

impl Part {
    fn height(self) -> f64 {
        match self {
            Self::Input => 44.0,
            Self::Membrane => 170.0,
            Self::Output | Self::State(_) => 76.0,
        }
    }
}

pub fn draw(setup: &Setup) -> Result<String, Error> {
    let spec = setup.subject.neuron.spec();
    let input = setup.stimulus.input(setup.drive.amplitude, setup.steps);
    let trace = setup.subject.trace(&input)?;
    let mut parts = vec![Part::Input, Part::Membrane];
    parts.extend((!spec.fires()).then_some(Part::Output));
    parts.extend((1..spec.states.len()).map(Part::State));
    let height = TOP + parts.iter().map(|part| part.height() + GAP).sum::<f64>() - GAP + BOTTOM;
    let width = setup.width.unwrap_or(WIDTH);
    svg(width, height.ceil() as u32, |canvas| {
        let charged = charged(setup, &trace);
        let picture = Picture { setup, trace: &trace, charged, canvas, right: f64::from(width) - MARGIN };
        picture.title()?;
        let mut top = TOP;
        for (i, part) in parts.iter().enumerate() {
            let panel = picture.panel(top, *part, i + 1 == parts.len())?;
            top = panel.bottom + GAP;
        }
        Ok(())
    })
}

fn charged(setup: &Setup, trace: &Trace) -> Vec<(f64, f64)> {
    let mut states = setup.subject.neuron.initial_state();
    let at = |t: usize| {
        let charged = setup.field.charged(trace.input[t].into(), &states);
        states.iter_mut().zip(&trace.states).for_each(|(state, after)| *state = after[t].into());
        charged
    };
    (0..setup.steps).map(at).collect()
}

struct Picture<'p, 'c> {
    setup: &'p Setup,
    trace: &'p Trace,
    /// The charged potential in each step, and the threshold that it is compared with.
    charged: Vec<(f64, f64)>,
    canvas: &'p Canvas<'c>,
    right: f64,
}

impl<'p, 'c> Picture<'p, 'c> {
    fn title(&self) -> Result<(), Error> {
        let spec = self.setup.subject.neuron.spec();
        let strength = self.setup.strength();
        let mut caption = match self.setup.stimulus {
            Stimulus::Shaped(Shape::Step, _) => format!("A step of {strength}"),
            Stimulus::Shaped(Shape::Ramp, _) => format!("A ramp to twice {strength}"),
            Stimulus::Shaped(Shape::Noise, _) => format!("Noise around {strength}"),
            Stimulus::Drawn(_) => "A drawn input".to_owned(),
        };
        let others = self.setup.caption();
        if !others.is_empty() {
            caption = format!("{caption}; {others}");
        }
        self.canvas.text((LEFT, 28.0), 17.0, INK, Align::Left, spec.name)?;
        self.canvas.text((LEFT, 49.0), 12.0, QUIET, Align::Left, &caption)?;
        Ok(())
    }

    /// Time before step `t`.
    fn time(&self, t: usize) -> f64 {
        t as f64 * self.setup.time().0
    }

    /// A state before the first step and after each.
    fn state(&self, place: usize) -> Vec<(f64, f64)> {
        let first = self.setup.subject.neuron.initial_state()[place];
        let after = self.trace.states[place].iter().map(|value| f64::from(*value));
        std::iter::once(first).chain(after).enumerate().map(|(t, value)| (self.time(t), value)).collect()
    }

    /// Values held during each step.
    fn held(&self, values: &[f32]) -> Vec<(f64, f64)> {
        let step = |(t, value): (usize, &f32)| {
            [(self.time(t), f64::from(*value)), (self.time(t + 1), f64::from(*value))]
        };
        values.iter().enumerate().flat_map(step).collect()
    }

    fn panel(&self, top: f64, part: Part, is_last: bool) -> Result<Panel<'p, 'c>, Error> {
        let spec = self.setup.subject.neuron.spec();
        let (heading, range) = match part {
            Part::Input => {
                let values = self.trace.input.iter().map(|value| f64::from(*value)).chain([0.0]);
                (format!("input {}", self.setup.input_label()), range(values, 0.08))
            }
            Part::Membrane => {
                let label = units::label("membrane potential v", units::of_state(spec, "v"));
                (label, self.membrane_range())
            }
            Part::Output => {
                ("output".to_owned(), range(self.trace.output.iter().map(|value| f64::from(*value)), 0.08))
            }
            Part::State(place) => {
                let state = &spec.states[place];
                let what = units::name(state.doc)
                    .map_or_else(|| state.name.to_owned(), |what| format!("{what} {}", state.name));
                let values = self.state(place).into_iter().map(|(_, value)| value);
                (units::label(&what, units::of_state(spec, state.name)), range(values, 0.08))
            }
        };
        let bottom = top + part.height();
        let across = (0.0, self.time(self.setup.steps));
        let panel = Panel { canvas: self.canvas, left: LEFT, right: self.right, top, bottom, across, range };
        panel.heading(&heading)?;
        panel.y_axis(if part.height() > 100.0 { 4 } else { 3 })?;
        match part {
            Part::Input => panel.line(self.held(&self.trace.input), INK, 1.0)?,
            Part::Membrane => self.membrane(&panel)?,
            Part::Output => panel.line(self.held(&self.trace.output), COLORS[1], 1.25)?,
            Part::State(place) => panel.line(self.state(place), COLORS[1], 1.25)?,
        }
        if is_last {
            panel.x_axis(6, &self.setup.time().2)?;
        }
        Ok(panel)
    }

    fn membrane_range(&self) -> (f64, f64) {
        let fires = self.setup.subject.neuron.spec().fires();
        let thresholds = self.charged.iter().map(|(_, threshold)| *threshold).filter(|_| fires);
        let potentials = self.state(0).into_iter().map(|(_, value)| value);
        let (low, high) = range(potentials.chain(thresholds), 0.06);
        // Above the threshold there is room for the strokes of spikes.
        if fires { (low, high + 0.12 * (high - low)) } else { (low, high) }
    }

    fn membrane(&self, panel: &Panel<'_, '_>) -> Result<(), Error> {
        let fires = self.setup.subject.neuron.spec().fires();
        let charged = &self.charged;
        if let Some((_, last)) = charged.last().copied().filter(|_| fires) {
            let thresholds =
                charged.iter().enumerate().map(|(t, (_, threshold))| (self.time(t + 1), *threshold));
            panel.dashed(std::iter::once((0.0, charged[0].1)).chain(thresholds), COLORS[2])?;
            panel.note((self.right + 6.0, panel.y(last)), Align::Left, COLORS[2], "threshold")?;
        }
        let spikes = self.setup.subject.spikes(&self.trace.output);
        let mut points = Vec::new();
        let potentials = self.state(0);
        points.push(potentials[0]);
        for (t, &(time, value)) in potentials.iter().skip(1).enumerate() {
            if spikes.binary_search(&t).is_ok() {
                // A stroke up to where spikes are, and on from where the reset left the potential.
                points.extend([(time, charged[t].0), (time, panel.range.1)]);
            }
            points.push((time, value));
        }
        panel.line(points, COLORS[0], 1.25)?;
        Ok(())
    }
}
