//! Spikes as bits, in the memory of the CPU.
//!
//! Spikes are rows of `neurons` values, bits are rows of `ceil(neurons / 32)` words. The spike of neuron `n` is bit `n % 32` of word
//! `n / 32` of its row, where bit 0 is the lowest.

use neuron_abi::WORD;
use rayon::prelude::*;

use crate::cpu::rows::packed;
use crate::number::LANES;
use crate::{Class, Element, Error, Real};

/// Spikes per task of the thread pool.
const PART: usize = LANES << 10;

/// Packs spikes into bits; every value other than 0 is a spike.
///
/// # Errors
/// [`Error::Bits`] if `words` does not have the rows of `spikes`.
pub fn pack<E: Element>(neurons: usize, spikes: &[E], words: &mut [u32]) -> Result<(), Error> {
    let columns = check_rows(neurons, spikes.len(), words.len())?;
    if !words.is_empty() {
        words.par_chunks_mut(columns).zip(spikes.par_chunks(neurons)).for_each(|(words, row)| {
            words.par_chunks_mut(PART / WORD).zip(row.par_chunks(PART)).for_each(pack_part);
        });
    }
    Ok(())
}

/// Unpacks bits into 0 and 1.
///
/// # Errors
/// As [`pack`].
pub fn unpack<E: Element>(neurons: usize, words: &[u32], spikes: &mut [E]) -> Result<(), Error> {
    let columns = check_rows(neurons, spikes.len(), words.len())?;
    if !words.is_empty() {
        spikes.par_chunks_mut(neurons).zip(words.par_chunks(columns)).for_each(|(row, words)| {
            row.par_chunks_mut(PART).zip(words.par_chunks(PART / WORD)).for_each(unpack_part);
        });
    }
    Ok(())
}

/// The words of a row, if there are as many rows of words as of spikes.
pub(crate) fn check_rows(neurons: usize, spikes: usize, words: usize) -> Result<usize, Error> {
    let rows = spikes.checked_div(neurons).unwrap_or(0);
    let columns = Class::Bits.columns(neurons);
    let expected = rows.saturating_mul(columns);
    let fits = spikes == rows * neurons && words == expected;
    if fits { Ok(columns) } else { Err(Error::Bits { neurons, spikes, words, expected }) }
}

fn pack_part<E: Element>((words, spikes): (&mut [u32], &[E])) {
    for (words, part) in words.chunks_mut(LANES / WORD).zip(spikes.chunks(LANES)) {
        let mut lanes = [E::Real::ZERO; LANES];
        for (lane, spike) in lanes.iter_mut().zip(part) {
            *lane = spike.load();
        }
        let bits = packed(&lanes);
        for (word, half) in words.iter_mut().zip([bits as u32, (bits >> WORD) as u32]) {
            *word = half;
        }
    }
}

fn unpack_part<E: Element>((spikes, words): (&mut [E], &[u32])) {
    for (part, word) in spikes.chunks_mut(WORD).zip(words) {
        for (bit, spike) in part.iter_mut().enumerate() {
            *spike = if word >> bit & 1 == 1 { E::store(E::Real::ONE) } else { E::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_come_back() {
        for neurons in [1, 31, 32, 33, 70, LANES << 11] {
            let spikes: Vec<f32> = (0..2 * neurons).map(|i| f32::from(i * i % 3 == 1)).collect();
            let mut words = vec![u32::MAX; 2 * neurons.div_ceil(WORD)];
            pack(neurons, &spikes, &mut words).unwrap();
            let mut unpacked = vec![7.0; 2 * neurons];
            unpack(neurons, &words, &mut unpacked).unwrap();
            assert_eq!(unpacked, spikes, "{neurons}");
            assert_eq!(words[0] & 7, [0, 6, 6, 6][neurons.min(3)] & ((1u64 << neurons.min(32)) - 1) as u32);
        }
    }

    #[test]
    fn lengths_are_checked() {
        assert_eq!(check_rows(33, 66, 4), Ok(2));
        assert_eq!(check_rows(32, 64, 2), Ok(1));
        assert_eq!(check_rows(0, 0, 0), Ok(0));
        for (neurons, spikes, words) in [(33, 66, 3), (33, 65, 4), (0, 1, 0), (33, 0, 1), (1, 5, 4)] {
            let error = check_rows(neurons, spikes, words);
            assert!(matches!(error, Err(Error::Bits { .. })), "{neurons} {spikes} {words}");
        }
    }
}
