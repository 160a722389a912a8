//! A sheet of paper: shapes and text at positions in points, and panels with axes.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub const PAPER: RGBColor = RGBColor(252, 251, 247);
pub const INK: RGBColor = RGBColor(38, 42, 48);
pub const QUIET: RGBColor = RGBColor(128, 130, 130);
pub const FAINT: RGBColor = RGBColor(222, 219, 209);
/// One colour a layer, all equally dark.
pub const LAYERS: [RGBColor; 3] = [RGBColor(28, 108, 122), RGBColor(176, 116, 20), RGBColor(172, 62, 52)];

/// From paper to `color` as `value` goes from 0 to 1.
pub fn shade(color: RGBColor, value: f32) -> RGBColor {
    let mix = |from: u8, to: u8| (f32::from(from) + (f32::from(to) - f32::from(from)) * value).round() as u8;
    RGBColor(mix(PAPER.0, color.0), mix(PAPER.1, color.1), mix(PAPER.2, color.2))
}

/// The library draws at whole pixels, so a point is several of them.
const PIXELS: f64 = 4.0;

pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws on a sheet of `width` by `height` points, and returns it as SVG.
pub fn svg(width: u32, height: u32, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<String> {
    let pixels = |points: u32| points * PIXELS as u32;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (pixels(width), pixels(height))).into_drawing_area();
        let canvas = Canvas { area };
        canvas.rectangle((0.0, 0.0), (width.into(), height.into()), PAPER)?;
        draw(&canvas)?;
        canvas.area.present()?;
    }
    // The same drawing, shown at its size in points.
    let size = |width, height| format!(r#"width="{width}" height="{height}""#);
    Ok(text.replacen(&size(pixels(width), pixels(height)), &size(width, height), 1))
}

fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    ((x * PIXELS).round() as i32, (y * PIXELS).round() as i32)
}

impl Canvas<'_> {
    pub fn rectangle(&self, from: (f64, f64), to: (f64, f64), color: RGBColor) -> Result<()> {
        let rectangle = Rectangle::new([pixel(from), pixel(to)], color.filled());
        self.area.draw(&rectangle).map_err(|error| anyhow!("{error}"))
    }

    /// A closed area.
    pub fn area(&self, points: impl IntoIterator<Item = (f64, f64)>, color: RGBColor) -> Result<()> {
        let points: Vec<_> = points.into_iter().map(pixel).collect();
        self.area.draw(&Polygon::new(points, color)).map_err(|error| anyhow!("{error}"))
    }

    pub fn line(
        &self,
        points: impl IntoIterator<Item = (f64, f64)>,
        color: RGBColor,
        width: f64,
    ) -> Result<()> {
        let points: Vec<_> = points.into_iter().map(pixel).collect();
        let style = color.stroke_width((width * PIXELS).round() as u32);
        self.area.draw(&PathElement::new(points, style)).map_err(|error| anyhow!("{error}"))
    }

    /// A dashed horizontal line, `dash` points on and off.
    pub fn dashed(&self, (left, right): (f64, f64), y: f64, color: RGBColor, dash: f64) -> Result<()> {
        let count = ((right - left) / (2.0 * dash)) as usize;
        for i in 0..count {
            let x = left + i as f64 * 2.0 * dash;
            self.line([(x, y), (x + dash, y)], color, 0.75)?;
        }
        Ok(())
    }

    /// Text whose vertical middle is at `at`.
    pub fn text(&self, at: (f64, f64), size: f64, color: RGBColor, align: HPos, text: &str) -> Result<()> {
        // The library takes the height of a line and writes the size of the font that fits in.
        let font = ("sans-serif", size * 1.24 * PIXELS).into_font();
        let style = TextStyle::from(font).color(&color).pos(Pos::new(align, VPos::Center));
        self.area.draw(&Text::new(text, pixel(at), style)).map_err(|error| anyhow!("{error}"))
    }
}

/// A rectangle of the sheet in which the horizontal axis is time.
pub struct Panel<'c, 'a> {
    pub canvas: &'c Canvas<'a>,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    /// Number of steps that fit the width.
    pub steps: usize,
    /// Values at the bottom and at the top.
    pub range: (f64, f64),
}

impl Panel<'_, '_> {
    /// Where step `t` is; each has a slot, and this is its middle.
    pub fn x(&self, t: usize) -> f64 {
        self.edge(t as f64 + 0.5)
    }

    /// Where the slot of step `t` begins.
    pub fn edge(&self, t: f64) -> f64 {
        self.left + (self.right - self.left) * t / self.steps as f64
    }

    pub fn y(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        self.bottom + (self.top - self.bottom) * (value - low) / (high - low)
    }

    pub fn horizontal(&self, value: f64, color: RGBColor, width: f64) -> Result<()> {
        let y = self.y(value);
        self.canvas.line([(self.left, y), (self.right, y)], color, width)
    }

    /// A dashed line, `dash` points on and off.
    pub fn dashed(&self, value: f64, color: RGBColor, dash: f64) -> Result<()> {
        self.canvas.dashed((self.left, self.right), self.y(value), color, dash)
    }
}
