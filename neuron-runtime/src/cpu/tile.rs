//! A kernel's view of a call: its arrays, for the columns of one tile.

use std::marker::PhantomData;
use std::ops::Range;

use crate::cpu::group::Group;
use crate::cpu::isa::Isa;
use crate::cpu::rows::{BitRowsMut, Streams};
use crate::cpu::stage::Stage;
use crate::cpu::values::Values;
use crate::cpu::work::Work;
use crate::number::LANES;
use crate::{Element, Rows, RowsMut, TileGradient};

/// Computes one template, tile by tile. Implemented by generated code.
pub trait Kernel<E: Element>: Sync {
    /// Whether tiles are computed one at a time, so that rows may be copied for them beforehand.
    const ONE_AT_A_TIME: bool = true;

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

/// Tiles to be computed on one thread, each before the next one is asked for.
#[derive(Debug)]
pub struct Tiles<'a, E: Element> {
    work: &'a Work<'a, E>,
    gradient: TileGradient<E::Real>,
    left: Range<usize>,
    /// Where rows of large arrays are copied to before they are computed.
    stage: Option<&'a Stage<'a, E>>,
    /// The number of the next tile in the stage; as many as it holds if it holds none of those that are left.
    member: usize,
    /// Groups of them can be made more than once, which is sound as long as they stay on their thread.
    thread: PhantomData<*mut ()>,
}

impl<'a, E: Element> Tiles<'a, E> {
    #[inline(always)]
    pub(crate) fn new(
        work: &'a Work<'a, E>,
        gradient: TileGradient<E::Real>,
        left: Range<usize>,
        stage: Option<&'a Stage<'a, E>>,
    ) -> Self {
        Self { work, gradient, left, stage, member: Stage::<E>::TILES, thread: PhantomData }
    }

    /// Has the rows of the next tiles copied, if there are enough.
    #[cold]
    #[inline(never)]
    fn fill(&mut self, stage: &Stage<'_, E>) {
        let full = |tile: usize| {
            let column = tile * LANES;
            let is_full = tile + Stage::<E>::TILES <= self.left.end
                && column + Stage::<E>::COLUMNS <= self.work.neurons();
            is_full.then_some(column)
        };
        let Some(column) = full(self.left.start) else { return };
        stage.complete(column);
        if let Some(next) = full(self.left.start + Stage::<E>::TILES) {
            stage.begin(next);
        }
        self.member = 0;
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
        if let Some(stage) = self.stage
            && self.member == Stage::<E>::TILES
        {
            self.fill(stage);
        }
        let group = self.group(1)?;
        let stage = self.stage.filter(|_| self.member < Stage::<E>::TILES).map(|stage| (stage, self.member));
        self.member += usize::from(stage.is_some());
        Some(Tile { group, stage })
    }
}

impl<E: Element> Work<'_, E> {
    /// Computes some tiles.
    #[inline(always)]
    pub(crate) fn run<K: Kernel<E>>(&self, kernel: &K, isa: Isa, tiles: Range<usize>) {
        let gradient = TileGradient::new(self.gradient, isa);
        let _streams = Streams;
        let stage = if K::ONE_AT_A_TIME { Stage::new(self) } else { None };
        kernel.tiles(Tiles::new(self, gradient, tiles, stage.as_ref()));
    }
}

/// The arrays of a call, for the columns of one tile.
#[derive(Debug)]
pub struct Tile<'a, E: Element> {
    group: Group<'a, E>,
    /// Where rows of signals have been copied to, and the number of the tile in it.
    stage: Option<(&'a Stage<'a, E>, usize)>,
}

impl<'a, E: Element> Tile<'a, E> {
    /// The tile as a group.
    #[inline(always)]
    pub fn group(&self) -> &Group<'a, E> {
        &self.group
    }

    /// Number of steps.
    #[inline(always)]
    pub fn steps(&self) -> usize {
        self.group.steps()
    }

    /// How spikes are differentiated.
    #[inline(always)]
    pub fn gradient(&self) -> &TileGradient<E::Real> {
        self.group.gradient()
    }

    /// Input `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal(&self, index: usize) -> Rows<'a, E> {
        match self.stage {
            Some((stage, member)) => stage.rows(index, member),
            None => self.group.signal(index),
        }
    }

    /// Input `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state(&self, index: usize) -> Rows<'a, E::Real> {
        self.group.state(index).unwrap_or_else(|lanes| Rows::of_lanes(lanes, self.group.width))
    }

    /// Input `index` of the signature, a parameter.
    #[inline(always)]
    pub fn values(&self, index: usize) -> Values<'a, E::Real> {
        self.group.values(index, 0)
    }

    /// Output `index` of the signature, in the data's format.
    #[inline(always)]
    pub fn signal_mut(&self, index: usize) -> RowsMut<'a, E> {
        self.group.signal_mut(index)
    }

    /// Output `index` of the signature, in the format of the arithmetic.
    #[inline(always)]
    pub fn state_mut(&self, index: usize) -> RowsMut<'a, E::Real> {
        self.group.state_mut(index)
    }

    /// Output `index` of the signature, in bits.
    #[inline(always)]
    pub fn bits_mut(&self, index: usize) -> BitRowsMut<'a> {
        self.group.bits_mut(index)
    }
}
