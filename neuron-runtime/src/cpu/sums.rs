//! Sums over neurons, for the gradients of parameters, by the passes of [`crate::summation`].

use rayon::prelude::*;

use crate::Real;
use crate::parameter::Layout;
use crate::summation::{LANES, Pass, ROWS, SEGMENT, passes};

/// Sums of `values`, seen as `[batch, count, inner]`, over `batch` and `inner`.
pub(crate) fn sums<R: Real>(values: &[R], layout: Layout, sums: &mut [R]) {
    let mut passes = passes(layout, values.len()).into_iter();
    let Some(first) = passes.next() else { return sums.copy_from_slice(values) };
    let partial = passes.fold(run(first, values), |partial, pass| run(pass, &partial));
    for (sum, value) in sums.iter_mut().zip(partial) {
        *sum = R::from_f64(value);
    }
}

fn run<R: Real>(pass: Pass, values: &[R]) -> Vec<f64> {
    match pass {
        Pass::Rows { columns, .. } => {
            let blocks: Vec<&[R]> = values.chunks(ROWS * columns).collect();
            blocks.into_par_iter().flat_map_iter(|block| rows(block, columns)).collect()
        }
        Pass::Segments { inner, .. } => {
            let segments: Vec<&[R]> =
                values.chunks(inner).flat_map(|channel| channel.chunks(SEGMENT)).collect();
            segments.into_par_iter().map(segment).collect()
        }
    }
}

/// The sum of some rows of `columns` values.
fn rows<R: Real>(block: &[R], columns: usize) -> Vec<f64> {
    let mut sum = vec![0.0; columns];
    for row in block.chunks(columns) {
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += value.to_f64();
        }
    }
    sum
}

/// The sum of neighbours: lanes first, then lanes by halves.
fn segment<R: Real>(values: &[R]) -> f64 {
    let mut lanes = [0.0; LANES];
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
        for (batch, count, inner) in
            [(1, 1, 1), (1, 1, 10_000), (7, 3, 5), (130, 4, 1), (5000, 1, 1), (3, 1, 9000), (1, 5, 1)]
        {
            let values: Vec<f32> = (0..batch * count * inner).map(|i| (i % 11) as f32 - 5.0).collect();
            let mut expected = vec![0.0f32; count];
            for (i, value) in values.iter().enumerate() {
                expected[i / inner % count] += value;
            }
            let mut actual = vec![f32::NAN; count];
            sums(&values, Layout { count, inner }, &mut actual);
            assert_eq!(actual, expected, "{batch} {count} {inner}");
        }
    }
}
