//! Phase plane of two states: nullclines, directions, and where the neuron goes.

use neuron_runtime::{Spec, StateSpec};
use neurons_plot::{Align, COLORS, Color, INK, Panel, QUIET, range, svg};

use super::Setup;
use super::contour::{Grid, Point};
use crate::simulate::Trace;
use crate::{Error, units};

/// Between the colours of the paper and of quiet text.
const ARROWS: Color = Color(190, 188, 180);

/// The states of the axes by name; what is not given is `v`, or the first state that is not the other one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Axes<'n> {
    pub across: Option<&'n str>,
    pub up: Option<&'n str>,
}

impl Axes<'_> {
    /// Their places among the states.
    fn places(self, spec: &Spec) -> Result<[usize; 2], Error> {
        if spec.states.len() < 2 {
            return Err(Error::OneState { neuron: spec.name });
        }
        let place = |name: &str| {
            spec.states.iter().position(|state| state.name == name).ok_or_else(|| {
                let known = spec.states.iter().map(|state| state.name).collect::<Vec<_>>().join(", ");
                Error::UnknownState { neuron: spec.name, name: name.to_owned(), known }
            })
        };
        let (across, up) = (self.across.map(place).transpose()?, self.up.map(place).transpose()?);
        let other = |taken: usize| usize::from(taken == 0);
        let places = match (across, up) {
            (Some(across), Some(up)) => [across, up],
            (Some(across), None) => [across, other(across)],
            (None, Some(up)) => [other(up), up],
            (None, None) => [0, 1],
        };
        if places[0] == places[1] {
            return Err(Error::SameState { name: spec.states[places[0]].name });
        }
        Ok(places)
    }
}

pub fn draw(setup: &Setup, axes: Axes<'_>) -> Result<String, Error> {
    let spec = setup.subject.neuron.spec();
    let places = axes.places(spec)?;
    let amplitude = setup.drive.amplitude;
    let trace = setup.subject.trace(&vec![amplitude as f32; setup.steps])?;
    let plane = Plane::new(setup, places, &trace);
    let width = setup.width.unwrap_or(520);
    svg(width, 440, |canvas| {
        let heading = format!("{}: phase plane", spec.name);
        let others = setup.caption();
        let mut caption = format!("Constant input {}", setup.strength());
        if !others.is_empty() {
            caption = format!("{caption}; {others}");
        }
        canvas.text((70.0, 28.0), 17.0, INK, Align::Left, &heading)?;
        canvas.text((70.0, 49.0), 12.0, QUIET, Align::Left, &caption)?;
        let (across, up) = (plane.grid.across, plane.grid.up);
        let right = f64::from(width) - 28.0;
        let panel = Panel { canvas, left: 70.0, right, top: 106.0, bottom: 382.0, across, range: up };
        let [across, up] = places.map(|place| &spec.states[place]);
        panel.heading(&label(spec, up))?;
        panel.y_axis(5)?;
        panel.x_axis(6, &label(spec, across))?;
        plane.directions(&panel)?;
        let values = plane.values();
        if spec.fires() {
            for line in plane.grid.zeros(&values.above) {
                panel.dashed(line, COLORS[2])?;
            }
        }
        for (slopes, color) in values.slopes.iter().zip(COLORS) {
            for line in plane.grid.zeros(slopes) {
                panel.line(line, color, 1.5)?;
            }
        }
        plane.trajectory(&panel, &trace)?;
        let legend = [
            (COLORS[0], format!("{} stays", across.name)),
            (COLORS[1], format!("{} stays", up.name)),
            (INK, "from the start".to_owned()),
            (COLORS[2], "fires".to_owned()),
        ];
        // On a narrow picture they need all of it.
        let mut x = if width < 400 { 16.0 } else { panel.left };
        for (color, text) in legend.into_iter().take(if spec.fires() { 4 } else { 3 }) {
            canvas.line([(x, 72.0), (x + 14.0, 72.0)], color, 1.5)?;
            canvas.text((x + 19.0, 72.0), 11.0, color, Align::Left, &text)?;
            x += 36.0 + 6.0 * text.chars().count() as f64;
        }
        Ok(())
    })
}

/// A state with what it is and its unit.
fn label(spec: &Spec, state: &StateSpec) -> String {
    let what = match state.name {
        "v" => "membrane potential".to_owned(),
        _ => units::name(state.doc).unwrap_or_default(),
    };
    units::label(format!("{what} {}", state.name).trim(), units::of_state(spec, state.name))
}

/// What is drawn where it is zero.
#[derive(Default)]
struct Values {
    /// How far `h` is above the threshold.
    above: Vec<f64>,
    /// What a step adds to both states.
    slopes: [Vec<f64>; 2],
}

struct Plane<'p> {
    setup: &'p Setup,
    /// All states as they are at the start; those shown take their place.
    states: Vec<f64>,
    /// Those shown, across and up.
    places: [usize; 2],
    grid: Grid,
}

impl<'p> Plane<'p> {
    fn new(setup: &'p Setup, places: [usize; 2], trace: &Trace) -> Self {
        let states = setup.subject.neuron.initial_state();
        let values = |place: usize| {
            let after = trace.states[place].iter().map(|value| f64::from(*value));
            after.chain([states[place]]).collect::<Vec<_>>()
        };
        let fires = setup.subject.neuron.spec().fires();
        let threshold = setup.field.charged(setup.drive.amplitude, &states).1;
        let shown = |place: usize, margin: f64| {
            range(values(place).into_iter().chain((fires && place == 0).then_some(threshold)), margin)
        };
        let (across, up) = (shown(places[0], 0.06), shown(places[1], 0.4));
        Self { setup, states, places, grid: Grid { across, up, columns: 241, rows: 121 } }
    }

    fn at(&self, (across, up): Point) -> Vec<f64> {
        let mut states = self.states.clone();
        let [x, y] = self.places;
        (states[x], states[y]) = (across, up);
        states
    }

    /// The states shown.
    fn shown(&self, state: impl Fn(usize) -> f64) -> Point {
        (state(self.places[0]), state(self.places[1]))
    }

    /// What a step without a spike adds to both states.
    fn slope(&self, at: Point) -> Point {
        let next = self.setup.field.flow(self.setup.drive.amplitude, &self.at(at));
        let (across, up) = self.shown(|place| next[place]);
        (across - at.0, up - at.1)
    }

    /// How far `h` is above the threshold.
    fn above(&self, at: Point) -> f64 {
        let (h, threshold) = self.setup.field.charged(self.setup.drive.amplitude, &self.at(at));
        h - threshold
    }

    /// At all points of the grid.
    fn values(&self) -> Values {
        let Grid { columns, rows, .. } = self.grid;
        let mut values = Values::default();
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let at = self.grid.point(column, row);
            let (of_v, of_other) = self.slope(at);
            values.slopes[0].push(of_v);
            values.slopes[1].push(of_other);
            values.above.push(self.above(at));
        }
        values
    }

    /// Arrows along the flow, all of one length.
    fn directions(&self, panel: &Panel<'_, '_>) -> Result<(), Error> {
        const COLUMNS: usize = 20;
        const ROWS: usize = 14;
        const LENGTH: f64 = 10.0;
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let part = |i: usize, count: usize| (i as f64 + 0.5) / count as f64;
                let between = |(low, high): (f64, f64), part: f64| low + (high - low) * part;
                let at =
                    (between(panel.across, part(column, COLUMNS)), between(panel.range, part(row, ROWS)));
                if self.setup.subject.neuron.spec().fires() && self.above(at) >= 0.0 {
                    continue;
                }
                let (dv, other) = self.slope(at);
                let from = (panel.x(at.0), panel.y(at.1));
                let step = (panel.x(at.0 + dv) - from.0, panel.y(at.1 + other) - from.1);
                let length = (step.0 * step.0 + step.1 * step.1).sqrt();
                if !length.is_finite() || length == 0.0 {
                    continue;
                }
                let (along, aside) = (step.0 / length, step.1 / length);
                let ahead = |forward: f64, left: f64| {
                    (from.0 + forward * along - left * aside, from.1 + forward * aside + left * along)
                };
                let to = ahead(LENGTH, 0.0);
                let barbs = [ahead(LENGTH - 3.0, 2.0), to, ahead(LENGTH - 3.0, -2.0)];
                panel.canvas.line([from, to].into_iter().chain(barbs), ARROWS, 0.75)?;
            }
        }
        Ok(())
    }

    /// From the start on; resets are thin.
    fn trajectory(&self, panel: &Panel<'_, '_>, trace: &Trace) -> Result<(), Error> {
        let start = self.shown(|place| self.states[place]);
        let mut point = start;
        let mut stretch = vec![point];
        let spikes = self.setup.subject.spikes(&trace.output);
        for t in 0..self.setup.steps {
            let next = self.shown(|place| f64::from(trace.states[place][t]));
            if !self.setup.subject.lasts() && spikes.binary_search(&t).is_ok() {
                panel.canvas.line(stretch.iter().map(|point| panel.at(*point)), INK, 1.0)?;
                panel.line([point, next], QUIET, 0.5)?;
                stretch.clear();
            }
            point = next;
            stretch.push(point);
        }
        panel.canvas.line(stretch.into_iter().map(|point| panel.at(point)), INK, 1.0)?;
        panel.canvas.dot(panel.at(start), 2.5, INK)?;
        Ok(())
    }
}
