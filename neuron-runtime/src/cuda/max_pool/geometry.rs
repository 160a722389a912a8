//! Sizes as the kernels take them.

use super::super::CudaError;
use crate::Error;

/// Threads of a launch at most: kernels divide numbers below this.
const MOST: usize = 1 << 31;

/// Values of a window at most, so that a byte tells which one.
const PLACES: usize = 256;

/// One axis of images, and the windows on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Values of the images.
    pub size: usize,
    /// Values of a window, at least 1; those of both axes multiply to 256 at most.
    pub window: usize,
    /// From a window to the next, at least 1.
    pub stride: usize,
    /// Before the first value and after the last one, at most half a window.
    pub padding: usize,
}

/// Images or maxima.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Input,
    Output,
}

impl Window {
    /// The number of windows: the last one ends in the padding or before.
    pub fn pooled(self) -> usize {
        (self.size + 2 * self.padding).checked_sub(self.window).map_or(0, |rest| rest / self.stride + 1)
    }

    pub(super) fn len(self, side: Side) -> usize {
        match side {
            Side::Input => self.size,
            Side::Output => self.pooled(),
        }
    }

    /// Whether kernels can have such windows, vertical and horizontal ones.
    pub(super) fn check(axes: [Self; 2]) -> Result<(), Error> {
        let refuse = |axis, Self { size, window, stride, padding }: Self| {
            Err(Error::Window { axis, size, window, stride, padding })
        };
        for (name, axis) in ["vertical", "horizontal"].into_iter().zip(axes) {
            let Self { size, window, stride, padding } = axis;
            let is_small = [size, stride].iter().all(|&size| size < MOST / 4) && window <= PLACES;
            if !is_small || window == 0 || stride == 0 || padding > window / 2 || axis.pooled() == 0 {
                return refuse(name, axis);
            }
        }
        let [vertical, horizontal] = axes;
        if vertical.window * horizontal.window > PLACES { refuse("horizontal", horizontal) } else { Ok(()) }
    }
}

/// `struct Divisor` of the kernels: the divisor, a factor and a shift.
#[derive(Clone, Copy, Debug)]
struct Divisor([u32; 3]);

impl Divisor {
    /// `divisor` is from 1 to 2^31.
    fn new(divisor: u32) -> Self {
        let shift = divisor.next_power_of_two().trailing_zeros();
        let rest = (1u64 << shift) - u64::from(divisor);
        // Below 2^32, since the rest is less than the divisor.
        let factor = (rest << 32) / u64::from(divisor) + 1;
        Self([divisor, factor as u32, shift])
    }

    /// As the kernels divide.
    #[cfg(test)]
    fn quotient(self, number: u32) -> u32 {
        let Self([_, factor, shift]) = self;
        (((u64::from(number) * u64::from(factor)) >> 32) as u32 + number) >> shift
    }
}

/// `struct Geometry` of the kernels.
#[derive(Clone, Debug)]
pub struct Geometry {
    words: Vec<u32>,
    /// Threads for each image.
    pub threads: usize,
}

impl Geometry {
    /// For threads that have places of `side`, of `lanes` channels each. The axes are checked, and there are channels.
    pub fn new(axes: [Window; 2], channels: usize, side: Side, lanes: usize) -> Result<Self, CudaError> {
        let [height, width] = axes.map(|axis| axis.len(side));
        let groups = channels / lanes;
        let threads = height.saturating_mul(width).saturating_mul(groups);
        if threads >= MOST {
            return Err(CudaError::TooLarge { neurons: threads, blocks: threads, limit: MOST });
        }
        let mut words = Vec::new();
        for size in [groups, height, width] {
            words.extend(Divisor::new(size as u32).0);
        }
        for axis in axes {
            words.extend([axis.size, axis.pooled(), axis.window, axis.padding].map(|size| size as u32));
            words.extend(Divisor::new(axis.stride as u32).0);
        }
        Ok(Self { words, threads })
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    /// The images of each launch: the first, and how many.
    pub fn parts(&self, images: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let most = (MOST - 1) / self.threads;
        (0..images).step_by(most).map(move |first| (first, most.min(images - first)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisors_divide() {
        let mut numbers = vec![0, 1, 2, 3, 6, 7, 223, 224, 225, 65_535, 65_536, (1 << 31) - 2, (1 << 31) - 1];
        let divisors: Vec<u32> = numbers[1..].iter().copied().chain([1 << 31]).collect();
        numbers.extend((0..31).flat_map(|shift| [(1u32 << shift) - 1, 1 << shift, (1 << shift) + 1]));
        for divisor in divisors {
            for &number in &numbers {
                for number in [number, (number / divisor * divisor).max(1) - 1, number / divisor * divisor] {
                    let actual = Divisor::new(divisor).quotient(number);
                    assert_eq!(actual, number / divisor, "{number} / {divisor}");
                }
            }
        }
    }

    #[test]
    fn windows_are_those_that_fit() {
        let window = |size, window, stride, padding| Window { size, window, stride, padding };
        assert_eq!(window(224, 2, 2, 0).pooled(), 112);
        assert_eq!(window(112, 3, 2, 1).pooled(), 56);
        assert_eq!(window(7, 2, 2, 0).pooled(), 3);
        assert_eq!(window(1, 2, 2, 0).pooled(), 0);
        assert!(Window::check([window(1, 2, 2, 1), window(40, 128, 1, 64)]).is_ok());
        let small = window(4, 2, 2, 0);
        for wrong in [
            [small, window(1, 2, 2, 0)],
            [window(4, 0, 1, 0), small],
            [small, window(4, 2, 0, 0)],
            [small, window(4, 2, 2, 2)],
            [small, window(400, 129, 1, 0)],
        ] {
            assert!(matches!(Window::check(wrong), Err(Error::Window { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn parts_have_all_images() {
        let geometry = Geometry { words: Vec::new(), threads: MOST / 3 - 1 };
        assert_eq!(geometry.parts(5).collect::<Vec<_>>(), [(0, 3), (3, 2)]);
    }
}
