//! Statistics of channels on the CPU: one pass over memory, and one for the gradient.
//!
//! Values are a matrix, whose columns have their own statistics: a row for each outer index, a column for each channel and inner
//! index. Narrow rows are taken several at a time. Tiles of a few rows are copied to the cache, converted to the format of
//! arithmetic, and reduced there in two passes, first to means and then to sums of squared deviations from these; then they are
//! merged with the rows before (Chan, Golub and LeVeque, 1979). No sum of squares is subtracted from another. How values are divided
//! into tiles depends on the shape alone, and so does the result.

use neuron_runtime::{Element, LANES, Real};
use rayon::prelude::*;

use super::Channels;

/// Columns of a tile.
const COLUMNS: usize = 8 * LANES;
/// Rows of a tile.
const ROWS: usize = 8;
/// Rows that are merged one after another, at least.
const SPAN: usize = 64;
/// Tasks at most, unless there are more tiles in a row.
const TASKS: usize = 256;
/// Fewer values are not worth several threads.
const PARALLEL: usize = 1 << 15;

/// Of some columns in a span of rows.
struct Columns<R> {
    /// The first column.
    first: usize,
    /// The number of rows.
    rows: usize,
    mean: Vec<R>,
    /// Sums of squared deviations from the mean.
    spread: Vec<R>,
}

/// Mean, `1 / sqrt(var + eps)` and unbiased variance of each channel, one after another.
pub(super) fn moments<E: Element>(x: &[E], channels: &Channels, eps: f64) -> Vec<E::Real> {
    let width = channels.count * channels.inner;
    let together = together(channels, width);
    let (whole, rest) = x.split_at(x.len() - x.len() % (width * together));
    let mut all = columns(whole, width * together);
    all.extend(columns(rest, width));

    let (count, values) = (channels.count, channels.values() as f64);
    let mut mean = vec![0.0; count];
    each_channel(&all, channels, |channel, columns, range| {
        let sum: f64 = columns.mean[range].iter().map(|mean| mean.to_f64()).sum();
        mean[channel] += sum * columns.rows as f64;
    });
    mean.iter_mut().for_each(|mean| *mean /= values);
    let mut spread = vec![0.0; count];
    each_channel(&all, channels, |channel, columns, range| {
        let deviations = columns.mean[range.clone()].iter().map(|own| (own.to_f64() - mean[channel]).powi(2));
        let own: f64 = columns.spread[range].iter().map(|spread| spread.to_f64()).sum();
        spread[channel] += own + columns.rows as f64 * deviations.sum::<f64>();
    });
    let invstd = spread.iter().map(|spread| 1.0 / (spread / values + eps).sqrt());
    let variance = spread.iter().map(|spread| spread / (values - 1.0).max(1.0));
    mean.iter().copied().chain(invstd).chain(variance).map(E::Real::from_f64).collect()
}

/// Adds the gradient of `x`, from its moments and their gradients; that of the variance is not used.
pub(super) fn add_input_grad<E: Element>(
    x: &[E],
    channels: &Channels,
    moments: &[E::Real],
    grads: &[E::Real],
    grad: &mut [E],
) {
    let (count, inner, values) = (channels.count, channels.inner, channels.values() as f64);
    let coefficients = |channel: usize| {
        let (invstd, number) = (moments[count + channel].to_f64(), E::Real::from_f64);
        let slope = -grads[count + channel].to_f64() * invstd.powi(3) / values;
        [number(grads[channel].to_f64() / values), number(slope), moments[channel]]
    };
    if inner == 1 {
        let width = count * together(channels, count);
        let all: Vec<_> = (0..width).map(|column| coefficients(column % count)).collect();
        in_parallel(x, grad, width, |_, x, grad| {
            update(x, grad, |first, x, grad| {
                for ((grad, x), [offset, slope, mean]) in grad.iter_mut().zip(x).zip(&all[first..]) {
                    *grad = *grad + (*offset + *slope * (*x - *mean));
                }
            });
        });
    } else {
        in_parallel(x, grad, inner, |plane, x, grad| {
            let [offset, slope, mean] = coefficients(plane % count);
            update(x, grad, |_, x, grad| {
                for (grad, x) in grad.iter_mut().zip(x) {
                    *grad = *grad + (offset + slope * (*x - mean));
                }
            });
        });
    }
}

/// The number of rows of `width` values that are taken as one.
fn together(channels: &Channels, width: usize) -> usize {
    (LANES / width).clamp(1, channels.outer)
}

/// The statistics of columns of a matrix with rows of `width`.
fn columns<E: Element>(x: &[E], width: usize) -> Vec<Columns<E::Real>> {
    let (rows, tiles) = (x.len() / width, width.div_ceil(COLUMNS));
    let span = rows.div_ceil((TASKS / tiles).max(1)).max(SPAN).next_multiple_of(ROWS);
    let spans = rows.div_ceil(span);
    let task = |index: usize| {
        let (first, row) = (index % tiles * COLUMNS, index / tiles * span);
        let rows = &x[row * width..(row + span).min(rows) * width];
        tile_columns(rows, width, first..(first + COLUMNS).min(width))
    };
    match x.len() < PARALLEL {
        true => (0..spans * tiles).map(task).collect(),
        false => (0..spans * tiles).into_par_iter().map(task).collect(),
    }
}

/// Those of some columns.
fn tile_columns<E: Element>(x: &[E], width: usize, range: std::ops::Range<usize>) -> Columns<E::Real> {
    let (zero, len) = (E::Real::ZERO, range.len());
    let mut all = Columns { first: range.start, rows: 0, mean: vec![zero; len], spread: vec![zero; len] };
    let mut tile = [[zero; COLUMNS]; ROWS];
    let (mut mean, mut spread) = ([zero; COLUMNS], [zero; COLUMNS]);
    for rows in x.chunks(ROWS * width) {
        let count = rows.len() / width;
        for (row, tile) in rows.chunks_exact(width).zip(&mut tile) {
            load(&row[range.clone()], tile);
        }
        mean.fill(zero);
        for row in &tile[..count] {
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum = *sum + *x);
        }
        let each = E::Real::from_f64(1.0 / count as f64);
        mean.iter_mut().for_each(|mean| *mean = *mean * each);
        spread.fill(zero);
        for row in &tile[..count] {
            for ((spread, x), mean) in spread.iter_mut().zip(row).zip(&mean) {
                let distance = *x - *mean;
                *spread = *spread + distance * distance;
            }
        }
        all.merge(count, &mean, &spread);
    }
    all
}

impl<R: Real> Columns<R> {
    /// Adds `rows` rows with these statistics.
    fn merge(&mut self, rows: usize, mean: &[R], spread: &[R]) {
        let share = rows as f64 / (self.rows + rows) as f64;
        let (share, between) = (R::from_f64(share), R::from_f64(self.rows as f64 * share));
        let own = self.mean.iter_mut().zip(&mut self.spread);
        for ((own_mean, own_spread), (mean, spread)) in own.zip(mean.iter().zip(spread)) {
            let distance = *mean - *own_mean;
            *own_mean = *own_mean + distance * share;
            *own_spread = *own_spread + *spread + distance * distance * between;
        }
        self.rows += rows;
    }
}

/// Calls `run` for columns that are of one channel: with the channel, and their range.
fn each_channel<R>(
    all: &[Columns<R>],
    channels: &Channels,
    mut run: impl FnMut(usize, &Columns<R>, std::ops::Range<usize>),
) {
    for columns in all {
        let mut at = 0;
        while at < columns.mean.len() {
            let plane = (columns.first + at) / channels.inner;
            let end = ((plane + 1) * channels.inner - columns.first).min(columns.mean.len());
            run(plane % channels.count, columns, at..end);
            at = end;
        }
    }
}

/// Calls `run` for every `len` values, with their number.
fn in_parallel<E: Element>(
    x: &[E],
    results: &mut [E],
    len: usize,
    run: impl Fn(usize, &[E], &mut [E]) + Sync,
) {
    // As many as a thread has at least.
    let many = (PARALLEL / 2).div_ceil(len);
    let task = |(index, (x, results)): (usize, (&[E], &mut [E]))| {
        for (at, (x, results)) in x.chunks(len).zip(results.chunks_mut(len)).enumerate() {
            run(index * many + at, x, results);
        }
    };
    match x.len() < PARALLEL {
        true => task((0, (x, results))),
        false => x.par_chunks(many * len).zip(results.par_chunks_mut(many * len)).enumerate().for_each(task),
    }
}

/// Calls `run` for `LANES` values at a time, with the index of the first; it changes `results`.
fn update<E: Element>(x: &[E], results: &mut [E], run: impl Fn(usize, &[E::Real], &mut [E::Real])) {
    let (whole, rest) = x.as_chunks::<LANES>();
    let (results, results_rest) = results.as_chunks_mut::<LANES>();
    for (index, (x, results)) in whole.iter().zip(results).enumerate() {
        let mut values = E::load_lanes(results);
        run(index * LANES, &E::load_lanes(x), &mut values);
        E::store_lanes(&values, results);
    }
    let (mut x_values, mut values) = ([E::Real::ZERO; LANES], [E::Real::ZERO; LANES]);
    let (x_values, values) = (&mut x_values[..rest.len()], &mut values[..rest.len()]);
    load(rest, x_values);
    load(results_rest, values);
    run(x.len() - rest.len(), x_values, values);
    results_rest.iter_mut().zip(values).for_each(|(result, value)| *result = E::store(*value));
}

/// Converts values.
fn load<E: Element>(x: &[E], to: &mut [E::Real]) {
    let (whole, rest) = x.as_chunks::<LANES>();
    let (to, to_rest) = to.split_at_mut(whole.len() * LANES);
    for (x, to) in whole.iter().zip(to.as_chunks_mut::<LANES>().0) {
        *to = E::load_lanes(x);
    }
    to_rest.iter_mut().zip(rest).for_each(|(to, x)| *to = x.load());
}
