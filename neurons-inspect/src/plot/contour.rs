//! Where a function of two numbers is zero: marching squares.

use std::collections::HashMap;

/// A point among the values.
pub type Point = (f64, f64);

/// Values at the points of a grid.
pub struct Grid {
    /// Edges of the grid, across and up.
    pub across: (f64, f64),
    pub up: (f64, f64),
    /// Points across.
    pub columns: usize,
    /// Points up.
    pub rows: usize,
}

/// An edge of the grid: the place of its first point, and whether it goes up.
type Edge = (usize, usize, bool);

impl Grid {
    /// The point at a place of the grid.
    pub fn point(&self, column: usize, row: usize) -> Point {
        let at = |(low, high): (f64, f64), i: usize, count: usize| {
            low + (high - low) * i as f64 / (count - 1) as f64
        };
        (at(self.across, column, self.columns), at(self.up, row, self.rows))
    }

    /// Lines along which the values, given row by row, are zero; linear between points of the grid.
    pub fn zeros(&self, values: &[f64]) -> Vec<Vec<Point>> {
        let value = |(column, row): (usize, usize)| values[row * self.columns + column];
        let other = |(column, row, is_up): Edge| if is_up { (column, row + 1) } else { (column + 1, row) };
        let crosses = |edge: &Edge| {
            let (a, b) = (value((edge.0, edge.1)), value(other(*edge)));
            a.is_finite() && b.is_finite() && (a < 0.0) != (b < 0.0)
        };
        // Each cell connects the edges that are crossed: two of them, or two pairs.
        let mut neighbours: HashMap<Edge, Vec<Edge>> = HashMap::new();
        let mut order = Vec::new();
        for row in 0..self.rows - 1 {
            for column in 0..self.columns - 1 {
                let around = [
                    (column, row, false),
                    (column + 1, row, true),
                    (column, row + 1, false),
                    (column, row, true),
                ];
                let crossed: Vec<Edge> = around.into_iter().filter(crosses).collect();
                for pair in crossed.chunks_exact(2) {
                    for (from, to) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                        if !neighbours.contains_key(&from) {
                            order.push(from);
                        }
                        neighbours.entry(from).or_default().push(to);
                    }
                }
            }
        }
        let place = |edge: Edge| {
            let (a, b) = ((edge.0, edge.1), other(edge));
            let (from, to) = (self.point(a.0, a.1), self.point(b.0, b.1));
            let part = value(a) / (value(a) - value(b));
            (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1))
        };
        let mut lines = Vec::new();
        // Ends first, so that what is left are rings.
        let (ends, middles): (Vec<Edge>, Vec<Edge>) =
            order.into_iter().partition(|edge| neighbours[edge].len() == 1);
        for start in ends.into_iter().chain(middles) {
            let mut line = Vec::new();
            let mut edge = start;
            while let Some(next) = neighbours.get_mut(&edge).and_then(Vec::pop) {
                if line.is_empty() {
                    line.push(place(edge));
                }
                line.push(place(next));
                if let Some(back) = neighbours.get_mut(&next)
                    && let Some(position) = back.iter().position(|other| *other == edge)
                {
                    back.swap_remove(position);
                }
                edge = next;
            }
            if line.len() > 1 {
                lines.push(line);
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zeros(f: impl Fn(f64, f64) -> f64) -> Vec<Vec<Point>> {
        let grid = Grid { across: (-2.0, 2.0), up: (-2.0, 2.0), columns: 40, rows: 40 };
        let values: Vec<f64> = (0..1600).map(|i| grid.point(i % 40, i / 40)).map(|(x, y)| f(x, y)).collect();
        grid.zeros(&values)
    }

    #[test]
    fn a_line_and_a_ring() {
        let line = zeros(|x, y| y - 0.5 * x);
        assert_eq!(line.len(), 1);
        assert!(line[0].len() >= 40 && line[0].iter().all(|(x, y)| (y - 0.5 * x).abs() < 1e-9));
        let ring = zeros(|x, y| x * x + y * y - 1.0);
        assert_eq!(ring.len(), 1);
        assert!(ring[0].iter().all(|(x, y)| (x * x + y * y - 1.0).abs() < 0.02));
        assert_eq!(ring[0].first(), ring[0].last());
        assert_eq!(zeros(|x, _| if x < -0.9 { f64::NAN } else { x * x - 1.0 }).len(), 1);
        assert!(zeros(|_, _| 1.0).is_empty());
    }
}
