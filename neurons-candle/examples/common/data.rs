//! The digits: 8x8 images, split as usual, in batches.

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// Width and height of an image.
pub const SIDE: usize = 8;
/// Part of the program, so that it can be taken to another machine.
const DATA: &str = include_str!("../../data/optdigits.csv");
/// Lines of the file that are for training; the others are held out.
const TRAIN: usize = 1438;

/// One handwritten digit.
pub struct Digit {
    /// Brightness from 0 to 1, row by row.
    pub pixels: [f32; SIDE * SIDE],
    pub label: u32,
}

pub struct Digits(Vec<Digit>);

/// The digits to train with, and the held-out ones.
pub fn load() -> Result<(Digits, Digits)> {
    let digit = |(i, line)| parse(line).with_context(|| format!("optdigits.csv, line {}", i + 1));
    let mut train = DATA.lines().enumerate().map(digit).collect::<Result<Vec<_>>>()?;
    ensure!(train.len() > TRAIN, "optdigits.csv has {} digits, expected more than {TRAIN}", train.len());
    let test = train.split_off(TRAIN);
    Ok((Digits(train), Digits(test)))
}

/// 64 pixels from 0 to 16, then the label.
fn parse(line: &str) -> Result<Digit> {
    let values = line.split(',').map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    let [pixels @ .., label] = &values[..] else { anyhow::bail!("no values") };
    ensure!(pixels.len() == SIDE * SIDE && *label < 10, "expected {} pixels and a digit", SIDE * SIDE);
    Ok(Digit { pixels: std::array::from_fn(|i| pixels[i] as f32 / 16.0), label: *label })
}

impl Digits {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The first four fifths, and the rest: to choose settings without the digits that are held out.
    pub fn split(mut self) -> (Self, Self) {
        let rest = self.0.split_off(self.len() * 4 / 5);
        (self, Self(rest))
    }

    pub fn get(&self, index: usize) -> Result<&Digit> {
        self.0.get(index).with_context(|| format!("there is no digit {index}, only {}", self.len()))
    }

    /// All indices in random order.
    pub fn shuffled(&self, rng: &mut StdRng) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.len()).collect();
        order.shuffle(rng);
        order
    }

    /// All images `[B, 8, 8, 1]` and labels `[B]`.
    pub fn all(&self, device: &Device) -> Result<(Tensor, Tensor)> {
        self.some(&(0..self.len()).collect::<Vec<_>>(), device)
    }

    /// Some images `[B, 8, 8, 1]` and their labels `[B]`.
    pub fn some(&self, indices: &[usize], device: &Device) -> Result<(Tensor, Tensor)> {
        let pixels = indices.iter().flat_map(|&index| self.0[index].pixels).collect();
        batch(pixels, indices.iter().map(|&index| self.0[index].label).collect(), device)
    }

    /// Some images, each moved by up to a pixel in both directions, and their labels.
    pub fn shifted(&self, indices: &[usize], rng: &mut StdRng, device: &Device) -> Result<(Tensor, Tensor)> {
        let mut pixels = Vec::with_capacity(indices.len() * SIDE * SIDE);
        for &index in indices {
            let (down, right) = (rng.random_range(0..3), rng.random_range(0..3));
            for (row, column) in (0..SIDE * SIDE).map(|i| (i / SIDE, i % SIDE)) {
                // One pixel of darkness around the image: its first row and column are at 1.
                let (row, column) = (row + down, column + right);
                let inside = (1..=SIDE).contains(&row) && (1..=SIDE).contains(&column);
                let pixel = inside.then(|| self.0[index].pixels[(row - 1) * SIDE + column - 1]);
                pixels.push(pixel.unwrap_or(0.0));
            }
        }
        batch(pixels, indices.iter().map(|&index| self.0[index].label).collect(), device)
    }
}

fn batch(pixels: Vec<f32>, labels: Vec<u32>, device: &Device) -> Result<(Tensor, Tensor)> {
    let count = labels.len();
    let images = Tensor::from_vec(pixels, (count, SIDE, SIDE, 1), device)?;
    Ok((images, Tensor::from_vec(labels, count, device)?))
}
