//! Surrogate gradients, each with the primitive that it is the derivative of.

use neuron_runtime::Surrogate;
use neurons_plot::{Align, COLORS, FAINT, INK, Panel, QUIET, svg, ticks};

use crate::Error;

const COLUMNS: usize = 4;
const WIDTH: f64 = 168.0;
const HEIGHT: f64 = 146.0;
/// Distances from the threshold that are shown.
const SHOWN: f64 = 3.0;
const POINTS: usize = 601;

/// Several of them.
pub fn draw(surrogates: &[Surrogate]) -> Result<String, Error> {
    let rows = surrogates.len().div_ceil(COLUMNS);
    let (width, height) = (40.0 + COLUMNS as f64 * WIDTH, 82.0 + rows as f64 * HEIGHT);
    svg(width as u32, height as u32, |canvas| {
        canvas.text((40.0, 28.0), 17.0, INK, Align::Left, "Surrogate gradients")?;
        canvas.text((40.0, 49.0), 12.0, COLORS[0], Align::Left, "gradient")?;
        canvas.text((96.0, 49.0), 12.0, COLORS[1], Align::Left, "primitive")?;
        let note = "over the distance from the threshold, u = h \u{2212} threshold; default parameters";
        canvas.text((156.0, 49.0), 12.0, QUIET, Align::Left, note)?;
        for (i, surrogate) in surrogates.iter().enumerate() {
            let (column, row) = (i % COLUMNS, i / COLUMNS);
            let (left, top) = (40.0 + column as f64 * WIDTH, 100.0 + row as f64 * HEIGHT);
            let (across, range) = ((-SHOWN, SHOWN), (-0.7, 2.0));
            let panel =
                Panel { canvas, left, right: left + WIDTH - 30.0, top, bottom: top + 88.0, across, range };
            one(&panel, surrogate)?;
        }
        Ok(())
    })
}

/// One of them, larger.
pub fn draw_one(surrogate: &Surrogate, width: u32) -> Result<String, Error> {
    svg(width, 340, |canvas| {
        let (left, right) = (70.0, f64::from(width) - 28.0);
        let title = format!("{}: surrogate gradient", surrogate.name());
        canvas.text((left, 28.0), 17.0, INK, Align::Left, &title)?;
        canvas.text((left, 49.0), 12.0, QUIET, Align::Left, &parameters(surrogate))?;
        let (across, range) = ((-SHOWN, SHOWN), (-0.7, 2.0));
        let panel = Panel { canvas, left, right, top: 84.0, bottom: 282.0, across, range };
        panel.y_axis(5)?;
        panel.x_axis(6, "u = h \u{2212} threshold")?;
        canvas.line([(panel.x(0.0), panel.top), (panel.x(0.0), panel.bottom)], FAINT, 0.5)?;
        panel.note((left, panel.top - 10.0), Align::Left, COLORS[0], "gradient")?;
        panel.note((left + 56.0, panel.top - 10.0), Align::Left, COLORS[1], "primitive")?;
        curves(&panel, surrogate)
    })
}

fn parameters(surrogate: &Surrogate) -> String {
    surrogate.parameters().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}

fn one(panel: &Panel<'_, '_>, surrogate: &Surrogate) -> Result<(), Error> {
    panel.canvas.text((panel.left, panel.top - 19.0), 11.5, INK, Align::Left, surrogate.name())?;
    panel.canvas.text((panel.left, panel.top - 6.0), 9.5, QUIET, Align::Left, &parameters(surrogate))?;
    panel.y_axis(3)?;
    panel.canvas.line([(panel.x(0.0), panel.top), (panel.x(0.0), panel.bottom)], FAINT, 0.5)?;
    for (value, text) in ticks(panel.across, 3) {
        panel.canvas.text((panel.x(value), panel.bottom + 9.0), 10.0, QUIET, Align::Center, &text)?;
    }
    curves(panel, surrogate)
}

fn curves(panel: &Panel<'_, '_>, surrogate: &Surrogate) -> Result<(), Error> {
    let u = |i: usize| (2.0 * i as f64 / (POINTS - 1) as f64 - 1.0) * SHOWN;
    // In float32, whose functions are the same bits on every machine.
    let curve = |f: &dyn Fn(f32) -> f32, color, width| {
        let points: Vec<(f64, f64)> = (0..POINTS).map(|i| (u(i), f64::from(f(u(i) as f32)))).collect();
        let is_shown = |(_, y): &(f64, f64)| (panel.range.0..=panel.range.1).contains(y);
        // What leaves the panel is not drawn at its edge.
        points
            .split(|point| !is_shown(point))
            .try_for_each(|part| panel.line(part.iter().copied(), color, width))
    };
    curve(&|u| surrogate.primitive_in(u), COLORS[1], 1.0)?;
    curve(&|u| surrogate.gradient_in(u), COLORS[0], 1.5)?;
    Ok(())
}
