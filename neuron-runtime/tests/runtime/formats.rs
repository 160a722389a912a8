//! Storage formats.

use half::{bf16, f16};
use neuron_runtime::{Element, LANES};

/// Whole rows are converted by other code than single numbers.
fn rows_agree_with_numbers<E: Element<Real = f32>>(all: impl Iterator<Item = E>) {
    let all: Vec<E> = all.collect();
    let (blocks, rest) = all.as_chunks::<LANES>();
    assert!(rest.is_empty());
    for block in blocks {
        let loaded = E::load_lanes(block);
        let mut stored = [E::default(); LANES];
        // Between this number and the next.
        let between = loaded.map(|x| x * 1.0013);
        E::store_lanes(&between, &mut stored);
        for i in 0..LANES {
            let is_nan = loaded[i].is_nan();
            assert!(loaded[i] == block[i].load() || is_nan, "{:?}", block[i]);
            assert!(stored[i] == E::store(between[i]) || is_nan, "{:?}", block[i]);
            assert_eq!(stored[i].load().is_nan(), is_nan, "{:?}", block[i]);
        }
    }
}

#[test]
fn rows_of_half_precision_numbers() {
    rows_agree_with_numbers((0..=u16::MAX).map(f16::from_bits));
    rows_agree_with_numbers((0..=u16::MAX).map(bf16::from_bits));
}
