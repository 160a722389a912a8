//! A part of the canvas with axes.

use crate::{Align, Canvas, Color, Drawn, FAINT, INK, QUIET};

/// Size of the text at axes.
const SMALL: f64 = 11.0;

/// A rectangle of the canvas, and the values at its edges.
pub struct Panel<'c, 'a> {
    /// The canvas.
    pub canvas: &'c Canvas<'a>,
    /// Left edge.
    pub left: f64,
    /// Right edge.
    pub right: f64,
    /// Upper edge.
    pub top: f64,
    /// Lower edge.
    pub bottom: f64,
    /// Values at the left and at the right.
    pub across: (f64, f64),
    /// Values at the bottom and at the top.
    pub range: (f64, f64),
}

impl Panel<'_, '_> {
    /// Where a value is on the horizontal axis.
    pub fn x(&self, value: f64) -> f64 {
        self.left + (self.right - self.left) * (value - self.across.0) / (self.across.1 - self.across.0)
    }

    /// Where a value is on the vertical axis.
    pub fn y(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        self.bottom + (self.top - self.bottom) * (value - low) / (high - low)
    }

    /// Where a point is, at the edge if it is beyond by any distance.
    pub fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let bounded = |value: f64, a: f64, b: f64| {
            let margin = (b - a).abs();
            value.clamp(a.min(b) - margin, a.max(b) + margin)
        };
        (bounded(self.x(x), self.left, self.right), self.y(y).clamp(self.top, self.bottom))
    }

    /// A line through values.
    ///
    /// # Errors
    /// [`Error`](crate::Error)
    pub fn line(&self, points: impl IntoIterator<Item = (f64, f64)>, color: Color, width: f64) -> Drawn {
        self.canvas.line(thinned(points.into_iter().map(|point| self.at(point))), color, width)
    }

    /// As [`Panel::line`], dashed.
    ///
    /// # Errors
    /// [`Error`](crate::Error)
    pub fn dashed(&self, points: impl IntoIterator<Item = (f64, f64)>, color: Color) -> Drawn {
        let points = thinned(points.into_iter().map(|point| self.at(point)));
        self.canvas.dashed(points, color, 0.75, 4.0)
    }

    /// A line from the left to the right.
    ///
    /// # Errors
    /// [`Error`](crate::Error)
    pub fn horizontal(&self, value: f64, color: Color, width: f64) -> Drawn {
        let y = self.y(value);
        self.canvas.line([(self.left, y), (self.right, y)], color, width)
    }

    /// What is shown, above the panel.
    ///
    /// # Errors
    /// [`Error`](crate::Error)
    pub fn heading(&self, text: &str) -> Drawn {
        self.canvas.text((self.left, self.top - 10.0), 12.0, INK, Align::Left, text)
    }

    /// Numbers at the left, about `count` of them, with a grid.
    ///
    /// # Errors
    /// [`Error`](crate::Error)
    pub fn y_axis(&self, count: usize) -> Drawn {
        for (value, text) in ticks(self.range, count) {
            let y = self.y(value);
            self.canvas.line([(self.left, y), (self.right, y)], FAINT, 0.5)?;
            self.canvas.text((self.left - 8.0, y), SMALL, QUIET, Align::Right, &text)?;
        }
        Ok(())
    }

    /// Numbers below, about `count` of them, and what they are.
    ///
    /// # Errors
    /// [`Error`](crate::Error)
    pub fn x_axis(&self, count: usize, label: &str) -> Drawn {
        let y = self.bottom + 6.0;
        self.canvas.line([(self.left, y), (self.right, y)], QUIET, 0.75)?;
        for (value, text) in ticks(self.across, count) {
            let x = self.x(value);
            self.canvas.line([(x, y), (x, y + 4.0)], QUIET, 0.75)?;
            self.canvas.text((x, y + 14.0), SMALL, QUIET, Align::Center, &text)?;
        }
        let middle = f64::midpoint(self.left, self.right);
        self.canvas.text((middle, y + 31.0), 12.0, QUIET, Align::Center, label)
    }

    /// A few words at a place among the values.
    ///
    /// # Errors
    /// [`Error`](crate::Error)
    pub fn note(&self, at: (f64, f64), align: Align, color: Color, text: &str) -> Drawn {
        self.canvas.text(at, SMALL, color, align, text)
    }
}

/// Of the points on a hair's breadth of the horizontal axis, the first, the lowest, the highest and the last.
fn thinned(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    /// Four on a point.
    const COLUMNS: f64 = 4.0;
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let mut column: Vec<(f64, f64)> = Vec::new();
    let flush = |column: &mut Vec<(f64, f64)>, kept: &mut Vec<(f64, f64)>| {
        if column.len() > 4 {
            let by_height = |a: &usize, b: &usize| column[*a].1.total_cmp(&column[*b].1);
            let lowest = (0..column.len()).min_by(by_height).unwrap_or(0);
            let highest = (0..column.len()).max_by(by_height).unwrap_or(0);
            let mut places = vec![0, lowest, highest, column.len() - 1];
            places.sort_unstable();
            places.dedup();
            kept.extend(places.into_iter().map(|place| column[place]));
        } else {
            kept.extend(&*column);
        }
        column.clear();
    };
    for point in points {
        let same =
            column.last().is_some_and(|last| (last.0 * COLUMNS).floor() == (point.0 * COLUMNS).floor());
        if !same {
            flush(&mut column, &mut kept);
        }
        column.push(point);
    }
    flush(&mut column, &mut kept);
    kept
}

/// About `count` round numbers between two, with their text.
pub fn ticks((low, high): (f64, f64), count: usize) -> Vec<(f64, String)> {
    let rough = (high - low) / count.max(1) as f64;
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    // A power of ten by multiplication, which is the same everywhere.
    let mut unit = 1.0;
    let mut exponent = 0;
    while unit * 10.0 <= rough {
        unit *= 10.0;
        exponent += 1;
    }
    while unit > rough {
        unit /= 10.0;
        exponent -= 1;
    }
    let (factor, exponent) = match rough / unit {
        part if part <= 1.0 => (1, exponent),
        part if part <= 2.0 => (2, exponent),
        part if part <= 5.0 => (5, exponent),
        _ => (1, exponent + 1),
    };
    let decimals = usize::try_from(-exponent).unwrap_or(0);
    let step: f64 = format!("{factor}e{exponent}").parse().unwrap_or(rough);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last)
        .map(|i| {
            let value = i as f64 * step;
            (value, format!("{value:.decimals$}").replace('-', "\u{2212}"))
        })
        .collect()
}

/// The smallest and the largest of some values, with some space around them; something around 0 for none.
pub fn range(values: impl IntoIterator<Item = f64>, space: f64) -> (f64, f64) {
    let values = values.into_iter().filter(|value| value.is_finite());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return (-1.0, 1.0);
    }
    let width = if high > low { high - low } else { low.abs().max(1.0) };
    (low - space * width, high + space * width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let texts = |range, count| ticks(range, count).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts((0.0, 1.0), 4), ["0.0", "0.5", "1.0"]);
        assert_eq!(texts((0.0, 1000.0), 5), ["0", "200", "400", "600", "800", "1000"]);
        assert_eq!(texts((-72.0, 3.0), 4), ["\u{2212}60", "\u{2212}40", "\u{2212}20", "0"]);
        assert_eq!(texts((0.0, 0.013), 3), ["0.000", "0.005", "0.010"]);
        assert!(ticks((1.0, 1.0), 3).is_empty() && ticks((0.0, f64::NAN), 3).is_empty());
    }

    #[test]
    fn extremes_stay() {
        let points: Vec<(f64, f64)> =
            (0..1000).map(|i| (f64::from(i) * 1e-5, f64::from((i * 7) % 11))).collect();
        let kept = thinned(points.into_iter());
        assert!(kept.len() <= 4);
        assert_eq!(kept.iter().map(|point| point.1).fold(0.0, f64::max), 10.0);
    }
}
