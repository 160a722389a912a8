//! The spacing at which a derivative is known best.

use super::report::Reasons;
use super::slope::Slope;

/// From one spacing to the next.
const FACTOR: f64 = 16.0;

/// Spacings that are tried in each direction at most, from 2^-12 of what is expected to matter on: down to its 2^48th
/// part, or up to 2^28 times as much.
const ATTEMPTS: usize = 10;

/// The first spacing, for a variable that makes a difference over `width`: a power of two, so that moving by it is
/// exact.
fn first_spacing(width: f64) -> f64 {
    (width.log2().floor() - 12.0).exp2()
}

/// Other spacings than that, with which a derivative may be told from a feature: from the smallest ones that are tried up to
/// `width`.
pub fn spacings(of: f64, width: f64) -> impl Iterator<Item = f64> {
    let smallest = first_spacing(width) / FACTOR.powi(ATTEMPTS as i32);
    let smaller = std::iter::successors(Some(of / FACTOR), |spacing| Some(spacing / FACTOR));
    let larger = std::iter::successors(Some(of * FACTOR), |spacing| Some(spacing * FACTOR));
    smaller
        .take_while(move |&spacing| spacing >= smallest)
        .chain(larger.take_while(move |&spacing| spacing <= width))
}

/// What one attempt found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attempt {
    /// A derivative.
    Slope(Slope),
    /// Something overflowed.
    Overflow,
    /// The variable would have left its range.
    OutOfRange,
}

/// How good a slope is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quality {
    /// Good enough.
    Enough,
    /// As good as its uncertainty says.
    Usable,
    /// Nothing changed although it should: not to be believed before larger spacings say the same.
    Flat,
}

/// A search for one derivative: over smaller spacings until it is resolved and they no longer help, then over larger
/// ones.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    pub spacing: f64,
    first: f64,
    left: usize,
    direction: Option<Direction>,
    best: Option<Slope>,
    flat: Option<Slope>,
    /// What was found so far that is no slope.
    unresolved: Unresolved,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Direction {
    Smaller,
    Larger,
}

/// What came of attempts that gave no slope to be believed.
#[derive(Clone, Copy, Debug, Default)]
struct Unresolved {
    /// The noise at the first spacing, and whether it was less at the next.
    first_noise: Option<f64>,
    noise_falls: Option<bool>,
    is_noisy: bool,
    overflows: bool,
    leaves_range: bool,
}

impl Search {
    pub fn new(width: f64) -> Self {
        let first = first_spacing(width);
        Self {
            spacing: first,
            first,
            left: ATTEMPTS,
            direction: Some(Direction::Smaller),
            best: None,
            flat: None,
            unresolved: Unresolved::default(),
        }
    }

    pub fn is_over(&self) -> bool {
        self.direction.is_none()
    }

    /// The slope that is known best, if any is to be believed.
    pub fn best(&self) -> Option<Slope> {
        // What is flat at every spacing is so indeed.
        let Unresolved { is_noisy, overflows, leaves_range, .. } = self.unresolved;
        self.best.or(self.flat.filter(|_| !is_noisy && !overflows && !leaves_range))
    }

    /// How noisy the samples were, unless that was a kink.
    pub fn noise(&self) -> Option<f64> {
        let Unresolved { first_noise, noise_falls, .. } = self.unresolved;
        let rounding = first_noise.filter(|_| noise_falls != Some(true));
        self.best.map(|slope| slope.noise).or(rounding)
    }

    /// Counts why there is no slope that says something.
    pub fn count(&self, reasons: &mut Reasons) {
        let Unresolved { noise_falls, is_noisy, overflows, leaves_range, .. } = self.unresolved;
        *match (self.best.is_some() || is_noisy || self.flat.is_some(), noise_falls) {
            (false, _) if leaves_range => &mut reasons.range,
            (false, _) if overflows => &mut reasons.overflow,
            (true, Some(true)) => &mut reasons.kinks,
            _ => &mut reasons.rounding,
        } += 1;
    }

    /// Takes what was found at its spacing, and chooses the next.
    pub fn found(&mut self, attempt: Attempt, quality: impl Fn(&Slope) -> Quality) {
        let Some(direction) = self.direction else { return };
        let helps = match attempt {
            Attempt::Slope(slope) => self.found_slope(slope, quality(&slope)),
            Attempt::Overflow => {
                self.unresolved.overflows = true;
                false
            }
            Attempt::OutOfRange => {
                self.unresolved.leaves_range = true;
                false
            }
        };
        if self.is_over() {
            return;
        }
        self.left -= 1;
        // As long as there is no slope, the next spacing may be the one that it takes.
        let goes_on = self.left > 0 && (helps || self.best.is_none());
        match direction {
            Direction::Smaller if goes_on => self.spacing /= FACTOR,
            Direction::Smaller => {
                (self.direction, self.left) = (Some(Direction::Larger), ATTEMPTS);
                self.spacing = self.first * FACTOR;
            }
            Direction::Larger if goes_on => self.spacing *= FACTOR,
            Direction::Larger => self.direction = None,
        }
    }

    /// Whether the slope is the best so far.
    fn found_slope(&mut self, slope: Slope, quality: Quality) -> bool {
        let Unresolved { first_noise, noise_falls, is_noisy, .. } = &mut self.unresolved;
        match *first_noise {
            None => *first_noise = Some(slope.noise),
            Some(first) => _ = noise_falls.get_or_insert(slope.noise < 0.5 * first),
        }
        if quality == Quality::Flat {
            self.flat = Some(slope);
            return false;
        }
        if !slope.is_resolved {
            *is_noisy = true;
            return false;
        }
        let helps = self.best.is_none_or(|best| slope.uncertainty < 0.5 * best.uncertainty);
        if helps {
            self.best = Some(slope);
        }
        if quality == Quality::Enough {
            self.direction = None;
        }
        helps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope(uncertainty: f64, spacing: f64) -> Slope {
        Slope {
            value: 1.0,
            uncertainty,
            noise: 0.0,
            is_resolved: true,
            may_oscillate: false,
            is_smooth: true,
            least_noise: 0.0,
            is_quiet: true,
            spacing,
        }
    }

    /// Searches among slopes; with how many attempts.
    fn search(find: impl Fn(f64) -> Attempt, quality: impl Fn(&Slope) -> Quality) -> (Search, usize) {
        let mut search = Search::new(1.0);
        let mut attempts = 0;
        while !search.is_over() {
            search.found(find(search.spacing), &quality);
            attempts += 1;
        }
        (search, attempts)
    }

    fn enough(slope: &Slope) -> Quality {
        if slope.uncertainty < 1e-9 { Quality::Enough } else { Quality::Usable }
    }

    /// The spacing found for such uncertainties, as a multiple of the first.
    fn found(uncertainty: impl Fn(f64) -> f64) -> (f64, usize) {
        let (search, attempts) =
            search(|spacing| Attempt::Slope(slope(uncertainty(spacing), spacing)), enough);
        (search.best().expect("a slope").spacing / first_spacing(1.0), attempts)
    }

    #[test]
    fn the_best_spacing_is_found() {
        assert_eq!(found(|_| 1e-10), (1.0, 1));
        // Only larger ones are good enough, only smaller ones, or none.
        assert_eq!(found(|spacing| 1e-12 / spacing).0, FACTOR);
        assert_eq!(found(|spacing| spacing.powi(2)).0, 1.0 / FACTOR);
        assert_eq!(found(|_| 1.0), (1.0, 3));
        // It ends where every step helps.
        assert!(found(f64::sqrt).1 <= 2 * ATTEMPTS && found(|spacing| 1.0 / spacing).1 <= 2 * ATTEMPTS);
    }

    #[test]
    fn what_is_not_resolved_is_not_believed() {
        let resolved_below = |end: f64| {
            move |spacing: f64| {
                Attempt::Slope(Slope { is_resolved: spacing < end, noise: 1.0, ..slope(1e-3, spacing) })
            }
        };
        let first = first_spacing(1.0);
        let (search_, _) = search(resolved_below(first / 200.0), enough);
        assert_eq!(search_.best().map(|slope| slope.spacing), Some(first / FACTOR.powi(2)));
        let (none, _) = search(resolved_below(0.0), enough);
        let mut reasons = Reasons::default();
        none.count(&mut reasons);
        assert_eq!((none.best(), reasons), (None, Reasons { rounding: 1, ..Reasons::default() }));
    }

    #[test]
    fn what_is_flat_is_believed_if_it_is_so_everywhere() {
        let first = first_spacing(1.0);
        let flat_below =
            |end: f64| move |slope: &Slope| if slope.spacing < end { Quality::Flat } else { Quality::Usable };
        let smooth = |spacing| Attempt::Slope(slope(1e-3, spacing));
        let best = |end| search(smooth, flat_below(end)).0.best().map(|slope| slope.spacing / first);
        assert_eq!(best(first * 200.0), Some(FACTOR.powi(2)));
        assert_eq!(best(f64::INFINITY), Some(FACTOR.powi(ATTEMPTS as i32)));
        let steps =
            |spacing| Attempt::Slope(Slope { is_resolved: spacing < first * 200.0, ..slope(1e-3, spacing) });
        assert_eq!(search(steps, flat_below(first * 200.0)).0.best(), None);
    }

    #[test]
    fn reasons_are_counted() {
        let reasons = |find: &dyn Fn(f64) -> Attempt| {
            let mut reasons = Reasons::default();
            search(find, enough).0.count(&mut reasons);
            reasons
        };
        assert_eq!(reasons(&|_| Attempt::Overflow), Reasons { overflow: 1, ..Reasons::default() });
        assert_eq!(reasons(&|_| Attempt::OutOfRange), Reasons { range: 1, ..Reasons::default() });
        let kink =
            |spacing| Attempt::Slope(Slope { is_resolved: false, noise: spacing, ..slope(1e-3, spacing) });
        assert_eq!(reasons(&kink), Reasons { kinks: 1, ..Reasons::default() });
    }
}
