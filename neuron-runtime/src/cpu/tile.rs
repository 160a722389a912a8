//! A kernel's view of a call: its arrays, for the columns of one tile.

use std::marker::PhantomData;
use std::ops::Range;

use crate::cpu::group::Group;
use crate::cpu::isa::Isa;
use crate::cpu::rows::{BitRowsMut, Streams};
use crate::cpu::values::Values;
use crate::cpu::work::Work;
use crate::number::LANES;
use crate::{Element, Rows, RowsMut, TileGradient};

/// Computes one template, tile by tile. Implemented by generated code.
pub trait Kernel<E: Element>: Sync {
    /// Computes the neurons of `tile`.
    fn tile(&self, tile: &Tile<'_, E>);

    /// Computes the neurons of some tiles, one after another on one thread: for kernels that keep memory from tile to
    /// tile, or compute several at once.
    #[inline(always)]
    fn tiles(&self, tiles: Tiles<'_, E>) {
        for tile in tiles {
            self.tile(&tile);
        }
    }
}

/// Tiles to be computed on one thread.
#[derive(Debug)]
pub struct Tiles<'a, E: Element> {
    work: &'a Work<'a, E>,
    gradient: TileGradient<E::Real>,
    left: Range<usize>,
    /// Groups of them can be made more than once, which is sound as long as they stay on their thread.
    thread: PhantomData<*mut ()>,
}

impl<'a, E: Element> Tiles<'a, E> {
    #[inline(always)]
    pub(crate) fn new(work: &'a Work<'a, E>, gradient: TileGradient<E::Real>, left: Range<usize>) -> Self {
        Self { work, gradient, left, thread: PhantomData }
    }

    /// The next tiles, at most `most`.
    #[inline(always)]
    pub fn group(&mut self, most: usize) -> Option<Group<'a, E>> {
        let tiles = self.left.len().min(most);
        if tiles == 0 {
            return None;
        }
        let first = self.left.start * LANES;
        self.left.start += tiles;
        Some(Group::new(self.work, first, (tiles * LANES).min(self.work.neurons() - first), self.gradient))
    }
}

impl<'a, E: Element> Iterator for Tiles<'a, E> {
    type Item = Tile<'a, E>;

    #[inline(always)]
    fn next(&mut self) -> Option<Tile<'a, E>> {
        self.group(1).map(Tile::new)
    }
}

impl<E: Element> Work<'_, E> {
    /// Computes some tiles.
    #[inline(always)]
    pub(crate) fn run<K: Kernel<E>>(&self, kernel: &K, isa: Isa, tiles: Range<usize>) {
        let gradient = TileGradient::new(self.gradient, isa);
        let _streams = Streams;
        kernel.tiles(Tiles::new(self, gradient, tiles));
    }
}

/// The arrays of a call, for the columns of one tile.
#[derive(Debug)]
pub struct Tile<'a, E: Element>(Group<'a, E>);

impl<'a, E: Element> Tile<'a, E> {
    /// A group of one tile.
    #[inline(always)]
    pub(crate) fn new(group: Group<'a, E>) -> Self {
        Self(group)
    }

    /// The tile as a group.
    #[inline(always)]
    pub fn group(&self) -> &Group<'a, E> {
        &self.0
    }

    /// Number of steps.
    #[inline(always)]
    pub fn steps(&self) -> usize {
        self.0.steps()
    }

    /// How spikes are differentiated.
    #[inline(always)]
    pub fn gradient(&self) -> &TileGradient<E::Real> {
        self.0.gradient()
    }

    /// Input `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal(&self, index: usize) -> Rows<'a, E> {
        self.0.signal(index)
    }

    /// Input `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state(&self, index: usize) -> Rows<'a, E::Real> {
        self.0.state(index).unwrap_or_else(|lanes| Rows::of_lanes(lanes, self.0.width))
    }

    /// Input `index` of the signature, a parameter.
    #[inline(always)]
    pub fn values(&self, index: usize) -> Values<'a, E::Real> {
        self.0.values(index, 0)
    }

    /// Output `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal_mut(&self, index: usize) -> RowsMut<'a, E> {
        self.0.signal_mut(index)
    }

    /// Output `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state_mut(&self, index: usize) -> RowsMut<'a, E::Real> {
        self.0.state_mut(index)
    }

    /// Output `index` of the signature, in bits.
    #[inline(always)]
    pub fn bits_mut(&self, index: usize) -> BitRowsMut<'a> {
        self.0.bits_mut(index)
    }
}
