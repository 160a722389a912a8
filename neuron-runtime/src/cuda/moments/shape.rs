//! How the threads of a launch are distributed over values.

use super::super::kernel::BLOCK;

/// Channels of a thread, where their number and the alignment of arrays allow it.
pub const VECTOR: usize = 4;
/// Rows that a thread loads at once.
const CHUNK: usize = 8;
/// Threads for neighbouring channels: as many as read whole sectors.
const COLUMNS: usize = 32;
/// Blocks at most, whatever the GPU, so that results depend on the shape alone: several for each processor of a large one.
const BLOCKS: usize = 2048;

/// The variants of a kernel, in the order of their functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// A thread has one channel of rows.
    Single,
    /// A thread has [`VECTOR`] channels of rows.
    Vector,
    /// A block has one channel, whose values are planes.
    Planes,
}

/// How the threads of a launch are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub variant: Variant,
    /// Threads of a block that have neighbouring channels; the values of a plane, for [`Variant::Planes`].
    pub columns: usize,
    /// Blocks for all channels.
    pub groups: usize,
    /// Rows of a block.
    pub span: usize,
    /// Blocks for all rows.
    pub spans: usize,
}

impl Shape {
    /// For `[rows, channels, inner]` values, none of which is 0. `is_aligned` is whether addresses are those of vectors.
    pub fn of(rows: usize, channels: usize, inner: usize, is_aligned: bool) -> Self {
        if inner > 1 {
            let least = (BLOCK * CHUNK).div_ceil(inner);
            let span = rows.div_ceil((BLOCKS / channels).max(1)).max(least).min(rows);
            let spans = rows.div_ceil(span);
            return Self { variant: Variant::Planes, columns: inner, groups: channels, span, spans };
        }
        let (variant, vector) = match is_aligned && channels.is_multiple_of(VECTOR) {
            true => (Variant::Vector, VECTOR),
            false => (Variant::Single, 1),
        };
        let threads = channels / vector;
        let columns = (threads + 1).next_power_of_two() / 2;
        let columns = if threads.is_power_of_two() { threads } else { columns }.min(COLUMNS);
        let groups = threads.div_ceil(columns);
        // A thread has at least a chunk.
        let least = BLOCK / columns * CHUNK;
        let span = rows.div_ceil((BLOCKS / groups).max(1)).next_multiple_of(least);
        Self { variant, columns, groups, span, spans: rows.div_ceil(span) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_span() {
        for rows in [1, 7, 1000, 25_000, 1 << 21] {
            for channels in [1, 3, 4, 12, 63, 64, 65, 512, 2048, 100_000] {
                for (inner, is_aligned) in [(1, false), (1, true), (2, false), (49, false), (100_000, false)]
                {
                    let shape = Shape::of(rows, channels, inner, is_aligned);
                    let Shape { variant, columns, groups, span, spans } = shape;
                    let vector = if variant == Variant::Vector { VECTOR } else { 1 };
                    match variant {
                        Variant::Planes => assert_eq!((columns, groups), (inner, channels)),
                        _ => {
                            assert!(columns.is_power_of_two() && columns <= COLUMNS, "{shape:?}");
                            let covered = groups * columns * vector;
                            assert!(
                                covered >= channels && covered - columns * vector < channels,
                                "{shape:?}"
                            );
                        }
                    }
                    assert_eq!(variant == Variant::Vector, is_aligned && channels % VECTOR == 0);
                    assert!(span * spans >= rows && span * (spans - 1) < rows, "{shape:?}");
                    assert!(spans * groups <= BLOCKS || spans == 1, "{shape:?}");
                }
            }
        }
    }
}
