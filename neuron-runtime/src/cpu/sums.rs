//! Sums over neurons, for the gradients of parameters, in the order of [`crate::summation`].

use rayon::prelude::*;

use crate::Real;
use crate::parameter::Layout;
use crate::summation::{LANES, Pass, ROWS, SEGMENT, START, groups, passes};

/// Columns that a task adds up.
const TASK: usize = 1 << 12;

/// Sums of `values`, seen as `[batch, count, inner]`, over `batch` and `inner`. Those that are `columns` apart are added up first.
pub(crate) fn sums<R: Real>(values: &[R], columns: usize, layout: Layout, sums: &mut [R]) {
    let mut passes = passes(layout, columns.min(values.len())).into_iter();
    let partial = if columns < values.len() {
        each_column(values, columns)
    } else {
        passes.next().map_or_else(Vec::new, |first| run(first, values))
    };
    let totals = passes.fold(partial, |partial, pass| run(pass, &partial));
    for (sum, value) in sums.iter_mut().zip(totals) {
        *sum = R::from_f64(value);
    }
}

/// The sum of each column of rows of `columns` values, of which the last one may have fewer.
fn each_column<R: Real>(values: &[R], columns: usize) -> Vec<f64> {
    let mut sums = vec![START; columns];
    sums.par_chunks_mut(TASK).enumerate().for_each(|(task, sums)| {
        for row in values.chunks(columns) {
            add(sums, row.get(task * TASK..).unwrap_or_default());
        }
    });
    sums
}

/// Adds a value to each sum, as far as there are any.
fn add<R: Real>(sums: &mut [f64], values: &[R]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value.to_f64();
    }
}

fn run<R: Real>(pass: Pass, values: &[R]) -> Vec<f64> {
    match pass {
        Pass::Rows { rows, columns } => {
            let blocks: Vec<&[R]> = values.chunks(ROWS * columns).collect();
            let groups = groups(rows);
            blocks.into_par_iter().flat_map_iter(|block| sum_of_rows(block, columns, groups)).collect()
        }
        Pass::Segments { inner, .. } => {
            let segments: Vec<&[R]> =
                values.chunks(inner).flat_map(|channel| channel.chunks(SEGMENT)).collect();
            segments.into_par_iter().map(segment).collect()
        }
    }
}

/// The sum of some rows of `columns` values: groups first, then groups by halves.
fn sum_of_rows<R: Real>(block: &[R], columns: usize, groups: usize) -> Vec<f64> {
    let mut sums = vec![START; groups * columns];
    for (row, values) in block.chunks(columns).enumerate() {
        add(&mut sums[row % groups * columns..], values);
    }
    let mut half = groups / 2;
    while half > 0 {
        let (sums, others) = sums.split_at_mut(half * columns);
        add(sums, &others[..half * columns]);
        half /= 2;
    }
    sums.truncate(columns);
    sums
}

/// The sum of neighbours: lanes first, then lanes by halves.
fn segment<R: Real>(values: &[R]) -> f64 {
    let mut lanes = [START; LANES];
    for row in values.chunks(LANES) {
        for (lane, value) in lanes.iter_mut().zip(row) {
            *lane += value.to_f64();
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_every_layout() {
        for (batch, count, inner) in [
            (1, 1, 1),
            (1, 1, 10_000),
            (7, 3, 5),
            (130, 4, 1),
            (5000, 1, 1),
            (3, 1, 9000),
            (1, 5, 1),
            (900, 7, 1),
        ] {
            let neurons = batch * count * inner;
            let values: Vec<f32> = (0..neurons).map(|i| (i % 11) as f32 - 5.0).collect();
            let mut expected = vec![0.0f32; count];
            for (i, value) in values.iter().enumerate() {
                expected[i / inner % count] += value;
            }
            let block = count * inner;
            for columns in [neurons, block, 2 * block, neurons / block / 2 * block, neurons - block] {
                if columns == 0 || columns > neurons {
                    continue;
                }
                let mut actual = vec![f32::NAN; count];
                sums(&values, columns, Layout { count, inner }, &mut actual);
                assert_eq!(actual, expected, "{batch} {count} {inner}, {columns} columns");
            }
        }
    }

    /// Numbers whose sum depends on the order.
    fn number(i: usize) -> f64 {
        let sign = if i.is_multiple_of(3) { -1.0 } else { 1.0 };
        sign * f64::from((i * i % 1009) as u32 + 1).recip() * f64::from((i % 40) as u32).exp2()
    }

    /// The order as it is documented, value by value.
    #[test]
    fn order_of_columns_and_groups() {
        let (rows, columns, count) = (70, 128, 2);
        // A part of a row at the end.
        let values: Vec<f64> = (0..rows * columns - 28).map(number).collect();
        let mut columns_sums = vec![-0.0; columns];
        for (i, value) in values.iter().enumerate() {
            columns_sums[i % columns] += value;
        }
        let expected: Vec<f64> = (0..count)
            .map(|channel| {
                let mut groups = [-0.0f64; 8];
                for (row, pair) in columns_sums.chunks(count).enumerate() {
                    groups[row % 8] += pair[channel];
                }
                let [a, b, c, d, e, f, g, h] = groups;
                ((a + e) + (c + g)) + ((b + f) + (d + h))
            })
            .collect();
        let mut actual = vec![0.0; count];
        sums(&values, columns, Layout { count, inner: 1 }, &mut actual);
        assert_eq!(actual, expected);
        let mut other = vec![0.0; count];
        sums(&values, values.len(), Layout { count, inner: 1 }, &mut other);
        assert_ne!(other, expected, "these numbers show the order");
    }

    #[test]
    fn one_value_is_its_own_sum() {
        let mut sum = [0.0f32; 2];
        sums(&[-0.0, f32::MIN_POSITIVE], 2, Layout { count: 2, inner: 1 }, &mut sum);
        assert_eq!(sum.map(f32::to_bits), [(-0.0f32).to_bits(), f32::MIN_POSITIVE.to_bits()]);
    }
}
