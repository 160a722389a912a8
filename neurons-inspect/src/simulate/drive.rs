//! Inputs and durations that suit a neuron, whatever its units: found by trying.

use clap::ValueEnum;

use super::Subject;
use crate::Error;

/// Steps in which a neuron that fires at all is expected to fire first.
const HORIZON: usize = 2000;
/// Constant inputs that are tried at a time.
const TRIED: i32 = 64;

/// How the input changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Off, on, off
    Step,
    /// From 0 to twice the amplitude
    Ramp,
    /// Coloured noise around the amplitude
    Noise,
}

/// How strong the input is, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drive {
    pub amplitude: f64,
    pub reason: Reason,
}

/// Where an amplitude comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// It was given.
    Given,
    /// It is 1.5 times the rheobase: the weakest constant input that makes the neuron fire.
    Rheobase(f64),
    /// Any input makes it fire in the end, or it fires without: with this it fires every ten steps, or twice as often
    /// as without.
    Rate,
    /// It does not fire.
    Silent,
}

/// Not a whole number, which says more of neurons that round.
const SILENT: Drive = Drive { amplitude: 1.5, reason: Reason::Silent };

impl Drive {
    /// What suits a neuron.
    ///
    /// # Errors
    /// Parameters out of range.
    pub fn of(subject: &Subject) -> Result<Self, Error> {
        if !subject.neuron.spec().fires() {
            return Ok(SILENT);
        }
        if let Some(rheobase) = rheobase(subject, HORIZON)? {
            // Without leak the weakest input depends on how long one waits.
            let patient = self::rheobase(subject, 4 * HORIZON)?.unwrap_or(rheobase);
            if (patient / rheobase) > 0.5 {
                return Ok(Self { amplitude: rounded(1.5 * rheobase), reason: Reason::Rheobase(rheobase) });
            }
        }
        const STEPS: usize = 200;
        let count = |response: &[f32]| subject.spikes(response).len();
        let without = subject.responses(&[0.0], STEPS)?.first().map_or(0, |response| count(response));
        let wanted = (STEPS / 10).max(2 * without);
        Ok(match weakest(subject, STEPS, |response| count(response) >= wanted)? {
            Some(amplitude) => Self { amplitude: rounded(amplitude), reason: Reason::Rate },
            None => SILENT,
        })
    }
}

/// The weakest constant input that makes a neuron fire within `steps` steps. `None` if it never fires, or fires
/// without.
fn rheobase(subject: &Subject, steps: usize) -> Result<Option<f64>, Error> {
    let fires = |response: &[f32]| response.iter().any(|&spike| spike != 0.0);
    Ok(weakest(subject, steps, fires)?.filter(|amplitude| *amplitude != 0.0))
}

/// The weakest constant input under which the response is as wanted: 0 if it is without, `None` if no input is found.
fn weakest(
    subject: &Subject,
    steps: usize,
    is_wanted: impl Fn(&[f32]) -> bool,
) -> Result<Option<f64>, Error> {
    let first = |inputs: &[f32]| -> Result<Option<usize>, Error> {
        Ok(subject.responses(inputs, steps)?.iter().position(|response| is_wanted(response)))
    };
    if first(&[0.0])?.is_some() {
        return Ok(Some(0.0));
    }
    for sign in [1.0, -1.0] {
        // Powers of two, in which every unit has its place; then what is between two of them, twice.
        let powers: Vec<f32> = (0..TRIED).map(|i| sign * 2.0f32.powi(i - TRIED / 2)).collect();
        let Some(found) = first(&powers)? else { continue };
        let (mut low, mut high) =
            if found == 0 { (0.0, powers[0]) } else { (powers[found - 1], powers[found]) };
        for _ in 0..2 {
            let part = (high - low) / TRIED as f32;
            let between: Vec<f32> = (1..=TRIED).map(|i| low + part * i as f32).collect();
            let place = first(&between)?.unwrap_or(between.len() - 1);
            (low, high) = (between[place] - part, between[place]);
        }
        return Ok(Some(f64::from(high)));
    }
    Ok(None)
}

/// To two digits.
fn rounded(value: f64) -> f64 {
    let mut unit = 1.0;
    while value.abs() / unit >= 100.0 {
        unit *= 10.0;
    }
    while value.abs() / unit < 10.0 && unit > 1e-30 {
        unit /= 10.0;
    }
    // Through text, so that 0.15 is that and not 0.15000000000000002.
    let digits = (value / unit).round();
    format!("{:.1e}", digits * unit).parse().unwrap_or(value)
}

/// Steps in which a neuron does enough to be looked at: about eight spikes, or its way to rest.
///
/// # Errors
/// As [`Drive::of`].
pub fn duration(subject: &Subject, drive: Drive) -> Result<usize, Error> {
    const LONGEST: usize = 20_000;
    const SPIKES: usize = 8;
    let amplitude = drive.amplitude as f32;
    let spikes = |steps: usize| -> Result<Vec<usize>, Error> {
        let responses = subject.responses(&[amplitude], steps)?;
        Ok(responses.first().map(|response| subject.spikes(response)).unwrap_or_default())
    };
    // Most neurons are done long before.
    let mut fired = spikes(LONGEST / 16)?;
    if subject.neuron.spec().fires() && fired.len() < SPIKES {
        fired = spikes(LONGEST)?;
    }
    let needed = match fired.get(SPIKES - 1) {
        Some(last) => *last,
        None => {
            let trace = subject.trace(&vec![amplitude; LONGEST])?;
            let settled = trace.states.iter().map(|state| settled(state));
            // One that goes round never settles.
            let settled = settled.filter(|&settled| settled < LONGEST / 2).max().unwrap_or(0);
            (fired.last().map_or(0, |last| 2 * last)).max(2 * settled)
        }
    };
    // A tenth before and after is without input.
    Ok(nice(((needed + 1) as f64 * 1.25) as usize).clamp(40, LONGEST))
}

/// The step from which on a state stays within a hundredth of where it ends.
fn settled(state: &[f32]) -> usize {
    let (Some(end), Some(first)) = (state.last(), state.first()) else { return 0 };
    let largest = state.iter().map(|value| (value - end).abs()).fold((first - end).abs(), f32::max);
    state.iter().rposition(|value| (value - end).abs() > 0.01 * largest).map_or(0, |last| last + 1)
}

/// The next number with one of a few first digits.
fn nice(steps: usize) -> usize {
    let mut unit = 1;
    while steps > 10 * unit {
        unit *= 10;
    }
    let digits = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100];
    digits
        .into_iter()
        .map(|digit| digit * unit)
        .find(|nice| *nice >= 10 * steps)
        .map_or(steps, |nice| nice / 10)
}

/// The course of the input, relative to an amplitude.
#[derive(Clone, Debug, PartialEq)]
pub enum Stimulus {
    /// A shape, and the seed of its noise.
    Shaped(Shape, u64),
    /// Multiples of the amplitude at equal distances, joined by straight lines.
    Drawn(Vec<f64>),
}

impl Stimulus {
    /// The input in each step.
    pub fn input(&self, amplitude: f64, steps: usize) -> Vec<f32> {
        // The middle of a step, as a part of the whole.
        let part = |t: usize| (t as f64 + 0.5) / steps as f64;
        match self {
            Self::Shaped(Shape::Noise, seed) => noise(amplitude, steps, *seed),
            Self::Shaped(Shape::Step, _) => {
                let value = |t| if (0.1..0.9).contains(&part(t)) { amplitude } else { 0.0 };
                (0..steps).map(|t| value(t) as f32).collect()
            }
            Self::Shaped(Shape::Ramp, _) => (0..steps).map(|t| (2.0 * amplitude * part(t)) as f32).collect(),
            Self::Drawn(points) => (0..steps).map(|t| (amplitude * joined(points, part(t))) as f32).collect(),
        }
    }
}

/// The height at a part of the way through points at equal distances.
fn joined(points: &[f64], part: f64) -> f64 {
    let place = part * points.len().saturating_sub(1) as f64;
    let at = |place: usize| points.get(place).or(points.last()).copied().unwrap_or(0.0);
    let (from, rest) = (place.floor(), place.fract());
    let (left, right) = (at(from as usize), at(from as usize + 1));
    left + (right - left) * rest
}

/// Coloured noise around an amplitude.
fn noise(amplitude: f64, steps: usize, seed: u64) -> Vec<f32> {
    // A filter of an eightieth of the time keeps the noise visible at every length.
    let memory = (steps as f64 / 80.0).max(1.0);
    let (mut random, mut level) = (Random(seed), 0.0);
    let draw = |_| {
        level += (random.normal() * (2.0 * memory).sqrt() - level) / memory;
        (amplitude * (1.0 + 0.5 * level)) as f32
    };
    (0..steps).map(draw).collect()
}

/// SplitMix64 (Steele et al., 2014): the same numbers for a seed on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Nearly normal: the sum of twelve uniform numbers, whose variance is 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| (self.next() >> 11) as f64 / (1u64 << 53) as f64).sum::<f64>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Neurons;

    #[test]
    fn rheobases() {
        let neurons = Neurons::default().zoo();
        let drive = |name: &str| Drive::of(&Subject::new(neurons.find(name).unwrap()).unwrap()).unwrap();
        // What LIF's potential tends to is its input.
        let Reason::Rheobase(lif) = drive("lif").reason else { panic!("LIF has a rheobase") };
        assert!((lif - 1.0).abs() < 0.01, "{lif}");
        // (threshold - rest) c_m / tau
        let Reason::Rheobase(refractory) = drive("refractory_lif").reason else { panic!("so has this one") };
        assert!((refractory - 375.0).abs() < 1.0, "{refractory}");
        // Without a leak there is none.
        assert_eq!(drive("if"), Drive { amplitude: 0.1, reason: Reason::Rate });
        // It fires every eighth step by itself.
        let eif = drive("eif");
        assert!(eif.reason == Reason::Rate && eif.amplitude > 0.1, "{eif:?}");
        assert_eq!(drive("leaky_integrator").reason, Reason::Silent);
    }

    #[test]
    fn numbers_are_rounded() {
        assert_eq!(rounded(1.5012), 1.5);
        assert_eq!(rounded(0.15), 0.15);
        assert_eq!(rounded(1034.0), 1000.0);
        assert_eq!(rounded(-1060.0), -1100.0);
        assert_eq!([nice(7), nice(11), nice(861), nice(1000)], [8, 12, 1000, 1000]);
    }

    #[test]
    fn inputs_have_their_shape() {
        let input = |shape, amplitude, steps, seed| Stimulus::Shaped(shape, seed).input(amplitude, steps);
        assert_eq!(input(Shape::Step, 2.0, 10, 0), [0.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 0.0]);
        assert_eq!(input(Shape::Ramp, 1.0, 4, 0), [0.25, 0.75, 1.25, 1.75]);
        let noise = input(Shape::Noise, 2.0, 8000, 1);
        let mean = noise.iter().sum::<f32>() / 8000.0;
        let deviation = (noise.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 8000.0).sqrt();
        assert!((mean - 2.0).abs() < 0.3 && (deviation - 1.0).abs() < 0.3, "{mean} {deviation}");
        assert_eq!(noise, input(Shape::Noise, 2.0, 8000, 1));
        assert_ne!(noise, input(Shape::Noise, 2.0, 8000, 2));
        let drawn = Stimulus::Drawn(vec![0.0, 2.0, -1.0]);
        assert_eq!(drawn.input(10.0, 4), [5.0, 15.0, 12.5, -2.5]);
        assert_eq!(Stimulus::Drawn(vec![1.5]).input(2.0, 2), [3.0, 3.0]);
        assert_eq!(Stimulus::Drawn(Vec::new()).input(2.0, 2), [0.0, 0.0]);
    }
}
