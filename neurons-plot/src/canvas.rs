//! Shapes and text at positions in points.

use plotters::coord::Shift;
use plotters::prelude::{Color as _, *};
use plotters::style::text_anchor::{Pos, VPos};

use crate::{Align, Error};

/// The background.
pub const PAPER: RGBColor = RGBColor(252, 251, 247);
/// Text and axes.
pub const INK: RGBColor = RGBColor(38, 42, 48);
/// Captions and labels of axes.
pub const QUIET: RGBColor = RGBColor(128, 130, 130);
/// Grids.
pub const FAINT: RGBColor = RGBColor(222, 219, 209);
/// Colours of what is shown side by side, all equally dark.
pub const COLORS: [RGBColor; 3] = [RGBColor(28, 108, 122), RGBColor(176, 116, 20), RGBColor(172, 62, 52)];

/// The library draws at whole pixels, so a point is several of them.
const PIXELS: f64 = 4.0;

/// The result of drawing something.
pub type Drawn = Result<(), Error>;

/// From paper to `color` as `value` goes from 0 to 1.
pub fn shade(color: RGBColor, value: f32) -> RGBColor {
    let mix = |from: u8, to: u8| (f32::from(from) + (f32::from(to) - f32::from(from)) * value).round() as u8;
    RGBColor(mix(PAPER.0, color.0), mix(PAPER.1, color.1), mix(PAPER.2, color.2))
}

/// Where a drawing goes.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws on a canvas of `width` by `height` points, and returns it as SVG.
///
/// # Errors
/// Those of `draw`.
pub fn svg<E: From<Error>>(
    width: u32,
    height: u32,
    draw: impl FnOnce(&Canvas) -> Result<(), E>,
) -> Result<String, E> {
    let pixels = |points: u32| points * PIXELS as u32;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (pixels(width), pixels(height))).into_drawing_area();
        let canvas = Canvas { area };
        canvas.rectangle((0.0, 0.0), (width.into(), height.into()), PAPER)?;
        draw(&canvas)?;
        canvas.area.present().map_err(|error| Error(error.to_string()))?;
    }
    // The same drawing, shown at its size in points.
    let size = |width, height| format!(r#"width="{width}" height="{height}""#);
    Ok(text.replacen(&size(pixels(width), pixels(height)), &size(width, height), 1))
}

fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    ((x * PIXELS).round() as i32, (y * PIXELS).round() as i32)
}

impl Canvas<'_> {
    /// A filled rectangle.
    ///
    /// # Errors
    /// [`Error`]
    pub fn rectangle(&self, from: (f64, f64), to: (f64, f64), color: RGBColor) -> Drawn {
        draw(self.area.draw(&Rectangle::new([pixel(from), pixel(to)], color.filled())))
    }

    /// A closed area.
    ///
    /// # Errors
    /// [`Error`]
    pub fn area(&self, points: impl IntoIterator<Item = (f64, f64)>, color: RGBColor) -> Drawn {
        let points: Vec<_> = points.into_iter().map(pixel).collect();
        draw(self.area.draw(&Polygon::new(points, color)))
    }

    /// A line through points; those that make no difference on paper are left out.
    ///
    /// # Errors
    /// [`Error`]
    pub fn line(&self, points: impl IntoIterator<Item = (f64, f64)>, color: RGBColor, width: f64) -> Drawn {
        let points = simplified(points.into_iter().map(pixel));
        if points.len() < 2 {
            return Ok(());
        }
        let style = color.stroke_width((width * PIXELS).round() as u32);
        draw(self.area.draw(&PathElement::new(points, style)))
    }

    /// As [`Canvas::line`], `dash` points on and off.
    ///
    /// # Errors
    /// [`Error`]
    pub fn dashed(
        &self,
        points: impl IntoIterator<Item = (f64, f64)>,
        color: RGBColor,
        width: f64,
        dash: f64,
    ) -> Drawn {
        let points: Vec<_> = points.into_iter().collect();
        let mut drawn: Vec<_> = points.first().copied().into_iter().collect();
        let (mut left, mut is_on) = (dash, true);
        for pair in points.windows(2) {
            let (mut from, to) = (pair[0], pair[1]);
            loop {
                let length = ((to.0 - from.0).powi(2) + (to.1 - from.1).powi(2)).sqrt();
                if length <= left {
                    left -= length;
                    drawn.push(to);
                    break;
                }
                let part = left / length;
                from = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
                if is_on {
                    self.line(drawn.into_iter().chain([from]), color, width)?;
                }
                (drawn, left, is_on) = (vec![from], dash, !is_on);
            }
        }
        if is_on { self.line(drawn, color, width) } else { Ok(()) }
    }

    /// A filled circle.
    ///
    /// # Errors
    /// [`Error`]
    pub fn dot(&self, at: (f64, f64), radius: f64, color: RGBColor) -> Drawn {
        draw(self.area.draw(&Circle::new(pixel(at), (radius * PIXELS).round() as i32, color.filled())))
    }

    /// Text whose vertical middle is at `at`.
    ///
    /// # Errors
    /// [`Error`]
    pub fn text(&self, at: (f64, f64), size: f64, color: RGBColor, align: Align, text: &str) -> Drawn {
        // The library takes the height of a line and writes the size of the font that fits in.
        let font = ("sans-serif", size * 1.24 * PIXELS).into_font();
        let style = TextStyle::from(font).color(&color).pos(Pos::new(align, VPos::Center));
        // Control characters are not XML, however they are written.
        let text = text.replace(|c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'), " ");
        draw(self.area.draw(&Text::new(text, pixel(at), style)))
    }
}

fn draw<E: std::error::Error + Send + Sync>(result: Result<(), DrawingAreaErrorKind<E>>) -> Drawn {
    result.map_err(|error| Error(error.to_string()))
}

/// Without points that are where the last one is, or on the way to the next.
fn simplified(points: impl Iterator<Item = (i32, i32)>) -> Vec<(i32, i32)> {
    let mut kept: Vec<(i32, i32)> = Vec::new();
    for point in points {
        if kept.last() == Some(&point) {
            continue;
        }
        if let [.., a, b] = kept[..] {
            let (first, second) = ((b.0 - a.0, b.1 - a.1), (point.0 - b.0, point.1 - b.1));
            let is_straight =
                i64::from(first.0) * i64::from(second.1) == i64::from(first.1) * i64::from(second.0);
            let is_onward =
                i64::from(first.0) * i64::from(second.0) + i64::from(first.1) * i64::from(second.1) > 0;
            if is_straight && is_onward {
                kept.pop();
            }
        }
        kept.push(point);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_no_needless_points() {
        let points = [(0, 0), (0, 0), (1, 1), (2, 2), (2, 5), (2, 3), (4, 3)];
        assert_eq!(simplified(points.into_iter()), [(0, 0), (2, 2), (2, 5), (2, 3), (4, 3)]);
    }

    #[test]
    fn text_is_text() {
        let drawn: Result<_, Error> =
            svg(10, 10, |canvas| canvas.text((0.0, 5.0), 5.0, INK, Align::Left, "a\0<b>\u{1b}&\u{ffff}c"));
        let drawn = drawn.unwrap();
        assert!(drawn.contains("\na &lt;b&gt; &amp; c\n"), "{drawn:?}");
    }

    #[test]
    fn dashes_go_around_corners() {
        let drawn: Result<_, Error> =
            svg(10, 10, |canvas| canvas.dashed([(0.0, 0.0), (3.0, 0.0), (3.0, 3.0)], INK, 1.0, 2.0));
        // From 0 to 2, and from 4 to 6 on the way: after the corner.
        let drawn = drawn.unwrap();
        assert_eq!(drawn.matches("<polyline").count(), 2, "{drawn}");
        assert!(drawn.contains("0,0 8,0") && drawn.contains("12,4 12,12"), "{drawn}");
    }
}
