//! A derivative from differences, and how far it is to be trusted.

/// How many equal spacings a variable is moved to either side.
pub const REACH: usize = 4;

/// Weights of the central differences over one to four spacings, for errors of the sixth and of the eighth order.
const SIXTH_ORDER: [f64; REACH] = [3.0 / 4.0, -3.0 / 20.0, 1.0 / 60.0, 0.0];
const EIGHTH_ORDER: [f64; REACH] = [4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0];

/// The sixth difference of values that are as noisy each is this many times as noisy: the root of the sum of squares
/// of its weights.
const SIXTH_DIFFERENCE: [f64; 7] = [1.0, -6.0, 15.0, -20.0, 15.0, -6.0, 1.0];
const SIXTH_DIFFERENCE_NOISE: f64 = 30.4;

/// How many times its estimate noise may be, which is made of three sixth differences only.
const CAUTION: f64 = 12.0;

/// The noise of samples of a smooth function is no more than this part of their variation.
const RESOLVED: f64 = 1e-3;

/// A staircase of rounding makes no more noise than this part of the outputs.
const QUIET: f64 = 1e-6;

/// Noise that is so many times as large as over a smaller spacing is not rounding.
const FEATURE: f64 = 32.0;

/// Noise of so many epsilons of the outputs is more than rounding: the function oscillates between the samples.
const OSCILLATION: f64 = 16384.0;

/// What a sum of outputs was found to be where a variable is moved by one to four spacings, less what it is where
/// that is not moved.
#[derive(Clone, Copy, Debug, Default)]
pub struct Samples {
    /// Moved down and up.
    pub moved: [[f64; 2]; REACH],
    /// The sum of the magnitudes of the outputs that changed: each is rounded by an epsilon of its own.
    pub magnitude: f64,
    /// How much the sum changes by rounding inside, as far as that was measured.
    pub rounding: f64,
}

/// The derivative by a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    pub value: f64,
    /// How far from the derivative it may be.
    pub uncertainty: f64,
    /// How noisy the outputs are, as far as it can be seen.
    pub noise: f64,
    /// Whether the samples are those of a smooth function, more or less: if not, a feature of the function may be
    /// narrower than the spacing, and the derivative anything.
    pub is_resolved: bool,
    /// Whether the samples are noisier than rounding makes them, so that the function may oscillate between them.
    pub may_oscillate: bool,
    /// Whether the samples vary, and all but that noise is a smooth function.
    pub is_smooth: bool,
    /// How noisy they would be if only rounding made them so.
    pub least_noise: f64,
    /// Whether the samples are no noisier than a staircase of rounding.
    pub is_quiet: bool,
    pub spacing: f64,
}

impl Slope {
    /// From samples over `spacing`, around the value `at` of the variable, which makes a difference over `width`. `None` if
    /// something is not finite.
    ///
    /// Whatever is smooth disappears from sixth differences. What is left in them is rounding, wherever in the
    /// neuron's equations it happened, or a kink: in both cases it says how far the samples are from those of a smooth
    /// function.
    pub fn new(samples: &Samples, spacing: f64, at: f64, width: f64) -> Option<Self> {
        let Samples { moved, magnitude, rounding } = samples;
        let least = rounding.max(f64::EPSILON * magnitude);
        let difference = |weights: [f64; REACH]| -> f64 {
            weights.iter().zip(moved).map(|(weight, [down, up])| weight * (up - down)).sum::<f64>() / spacing
        };
        let (coarse, value) = (difference(SIXTH_ORDER), difference(EIGHTH_ORDER));
        let [[down, up], ..] = moved;
        let line: [f64; 2 * REACH + 1] =
            [moved[3][0], moved[2][0], moved[1][0], *down, 0.0, *up, moved[1][1], moved[2][1], moved[3][1]];
        let sixth = line.windows(SIXTH_DIFFERENCE.len()).map(|window| {
            window.iter().zip(SIXTH_DIFFERENCE).map(|(value, weight)| value * weight).sum::<f64>().abs()
        });
        let noise = sixth.fold(0.0, f64::max) / SIXTH_DIFFERENCE_NOISE;
        let rounding = CAUTION * noise.max(least) / spacing;
        // Over more than the width, the noise may be all that can be seen of a step of that height.
        let hidden = if spacing > width { CAUTION * noise / width } else { 0.0 };
        // Where the variable could not be moved by exactly that.
        let misplaced = (1..=REACH).flat_map(|i| [i as f64, -(i as f64)]).map(|i| {
            let by = i * spacing;
            (((at + by) - at) - by).abs()
        });
        let misplaced = 2.0 * misplaced.fold(0.0, f64::max) / spacing;
        let uncertainty = (value - coarse).abs() + rounding + hidden + misplaced * value.abs();
        let is_finite = value.is_finite() && uncertainty.is_finite();
        let variation = line.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        let is_resolved = noise <= (RESOLVED * variation).max(least) && least <= RESOLVED * magnitude;
        let is_smooth = variation > 0.0 && noise <= RESOLVED * variation;
        let least_noise = noise.max(least);
        let is_quiet = noise <= QUIET * magnitude;
        let may_oscillate = noise > OSCILLATION * f64::EPSILON * magnitude.max(variation);
        is_finite.then_some(Self {
            value,
            uncertainty,
            noise,
            is_resolved,
            may_oscillate,
            is_smooth,
            least_noise,
            is_quiet,
            spacing,
        })
    }

    /// The same slope, known to be as noisy as that at the least. Noise of a few units in the last place may look like
    /// a slope to samples at equal distances, or like none.
    pub fn noisy(self, noise: f64) -> Self {
        let unseen = (noise - self.noise).max(0.0);
        Self { uncertainty: self.uncertainty + CAUTION * unseen / self.spacing, ..self }
    }

    /// Whether this slope shows that the other one is not the derivative: over smaller spacings it is a feature of its own,
    /// over larger ones a step of a staircase.
    pub fn contradicts(&self, other: &Self) -> bool {
        let is_believed =
            (self.is_resolved && !self.may_oscillate) || (self.is_quiet && self.spacing > other.spacing);
        is_believed && (self.value - other.value).abs() > self.uncertainty + other.uncertainty
    }

    /// What slope may be hidden in the noise of the other one, over larger spacings: noise that is not there over smaller ones
    /// is no rounding, but an oscillation or a feature between the samples.
    pub fn hidden_in(&self, other: &Self) -> f64 {
        let is_seen = self.is_smooth && self.spacing < other.spacing;
        let is_feature = is_seen && other.noise > FEATURE * self.least_noise;
        if is_feature { CAUTION * other.noise / self.spacing } else { 0.0 }
    }

    /// Whether nothing changed at all.
    pub fn is_flat(&self) -> bool {
        self.value == 0.0 && self.noise == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope(f: impl Fn(f64) -> f64, at: f64, spacing: f64) -> Slope {
        let mut samples = Samples { magnitude: f(at).abs(), ..Samples::default() };
        for (i, [down, up]) in samples.moved.iter_mut().enumerate() {
            let by = (i + 1) as f64 * spacing;
            (*down, *up) = (f(at - by) - f(at), f(at + by) - f(at));
        }
        Slope::new(&samples, spacing, at, 1.0).expect("finite samples")
    }

    const SPACING: f64 = 1.0 / 4096.0;

    #[test]
    fn smooth_functions_are_exact() {
        for at in [-1.5, 0.25, 3.0] {
            let Slope { value, uncertainty, .. } = slope(|x| x.sin() * (0.5 * x).exp(), at, SPACING);
            let expected = (at.cos() + 0.5 * at.sin()) * (0.5 * at).exp();
            assert!((value - expected).abs() <= uncertainty, "{at}: {value} {expected} {uncertainty}");
            assert!(uncertainty < 1e-10, "{at}: {uncertainty}");
        }
    }

    /// The uncertainty covers the error, and is not much larger than the rounding that makes it.
    #[test]
    fn rounding_inside_is_seen() {
        for offset in [1e3, 1e6, 1e9] {
            for i in 0..1000 {
                let at = f64::from(i) * 0.015625 - 8.0;
                let Slope { value, uncertainty, .. } =
                    slope(|x| (((x / 3.0) + offset) - offset).tanh(), at, SPACING);
                let expected = (1.0 - (at / 3.0).tanh().powi(2)) / 3.0;
                assert!((value - expected).abs() <= uncertainty, "{at}: {value} {expected} {uncertainty}");
                assert!(
                    uncertainty < 100.0 * offset * f64::EPSILON / SPACING,
                    "{offset} {at}: {uncertainty}"
                );
            }
        }
    }

    /// Wherever a kink or a jump is, the uncertainty covers the error.
    #[test]
    fn kinks_are_seen() {
        for i in -80..=80i32 {
            let place = f64::from(i) * SPACING / 16.0;
            // The slope of the ramp to the left of the point, to its right or at the kink itself.
            let ramp = slope(|x| (x - place).max(0.0), 0.0, SPACING);
            let expected = if place < 0.0 { 1.0 } else { 0.0 };
            let at_kink = if place == 0.0 { 1.0 } else { expected };
            let error = (ramp.value - expected).abs().min((ramp.value - at_kink).abs());
            assert!(error <= ramp.uncertainty || !ramp.is_resolved, "{i}: {ramp:?}");
            let jump = slope(|x| if x < place { 2.0 * x } else { 2.0 * x + 1.0 }, 0.0, SPACING);
            assert!((jump.value - 2.0).abs() <= jump.uncertainty, "{i}: {jump:?}");
            assert!(!jump.is_resolved || i.abs() >= 64, "{i}: {jump:?}");
        }
    }

    /// Over spacings that are wider than what happens, a difference says nothing of the slope.
    #[test]
    fn narrow_features_are_not_resolved() {
        for width in [1e-3, 0.1, 0.5] {
            let slope = slope(|x| ((x - 0.3) / (width * SPACING)).tanh(), 0.3, SPACING);
            assert!(!slope.is_resolved, "{width}: {slope:?}");
        }
        assert!(slope(|x| ((x - 0.3) / (50.0 * SPACING)).tanh(), 0.3, SPACING).is_resolved);
    }

    /// From far away the slope of a step is 0, and the step itself looks like rounding of a line.
    #[test]
    fn steps_are_not_overlooked_from_afar() {
        for spacing in [16.0, 4096.0, 1e8] {
            let Slope { value, uncertainty, .. } = slope(|x| x + 0.2 * (3.0 * x).tanh(), 0.25, spacing);
            let expected = 1.0 + 0.6 * (1.0 - 0.75f64.tanh().powi(2));
            assert!((value - expected).abs() <= uncertainty, "{spacing}: {value} {expected} {uncertainty}");
        }
    }

    /// Between two steps of a staircase of rounding, its slope is that of a step; from afar it is not.
    #[test]
    fn a_staircase_is_contradicted() {
        let f = |x: f64| 1.0 + 1e-9 * (1e9 * x).fract();
        let [near, far] = [1e-12, 1e-3].map(|spacing| slope(f, 0.3 + 5e-10, spacing));
        assert!((near.value - 1.0).abs() <= near.uncertainty && far.contradicts(&near), "{near:?} {far:?}");
    }

    /// No distance contradicts another where all see the same, as wrong gradients would be excused by that.
    #[test]
    fn smooth_functions_are_not_contradicted() {
        let smooth =
            [|x: f64| x.sin() * (0.5 * x).exp(), |x: f64| 1e8 * x.powi(4), |x: f64| (20.0 * x).cos()];
        for f in smooth {
            let slopes: Vec<Slope> = (0..12).map(|i| slope(f, 0.75, 16f64.powi(-i))).collect();
            for (one, other) in slopes.iter().flat_map(|one| slopes.iter().map(move |other| (one, other))) {
                assert!(!other.is_resolved || !one.contradicts(other), "{one:?} {other:?}");
            }
        }
    }

    /// What rounding inside amounts to counts even if no sample shows it.
    #[test]
    fn measured_rounding_counts() {
        let mut samples = Samples { magnitude: 1.0, rounding: 1e-6, ..Samples::default() };
        let flat = Slope::new(&samples, SPACING, 0.0, 1.0).expect("finite samples");
        assert!(flat.uncertainty >= 1e-6 / SPACING && flat.is_resolved, "{flat:?}");
        samples.rounding = 0.1;
        assert!(Slope::new(&samples, SPACING, 0.0, 1.0).is_some_and(|flat| !flat.is_resolved));
    }

    #[test]
    fn what_is_not_finite_is_no_slope() {
        let mut samples = Samples::default();
        samples.moved[3][1] = f64::NAN;
        assert_eq!(Slope::new(&samples, SPACING, 0.0, 1.0), None);
        samples.moved[3][1] = f64::INFINITY;
        assert_eq!(Slope::new(&samples, SPACING, 0.0, 1.0), None);
    }
}
