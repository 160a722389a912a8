//! Registers, each of which has a number for every lane of some tiles.

use std::cell::Cell;

use neuron_runtime::{LANES, Real};

/// Lanes that are computed at once: as many as fit into a vector of the widest instruction set, in float32.
pub const BLOCK: usize = 16;

/// Blocks of a tile.
pub const PER_TILE: usize = LANES / BLOCK;

/// At most so many tiles are computed at once. To find out what an instruction does takes about as long as to do it on a
/// tile.
const TILES: usize = 8;

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// At most so many lanes are in the registers of several tiles. In float32 that is more than the first cache holds beside the
/// arrays: with fewer tiles, what is saved there is less than what finding out about instructions costs.
const RESIDENT: usize = 16384;

/// The registers of one thread.
#[derive(Debug, Default)]
pub struct Registers<R> {
    /// The tiles of each register next to each other, from `first` on.
    lanes: Vec<R>,
    /// The first lane at the beginning of a line of the cache. A vector that lies in two lines takes twice as long to load
    /// and to store.
    first: usize,
    /// Tiles of each.
    capacity: usize,
    /// Tiles that are in use.
    tiles: usize,
}

impl<R> Registers<R> {
    /// No registers.
    pub const NONE: Self = Self { lanes: Vec::new(), first: 0, capacity: 0, tiles: 0 };
}

impl<R: Real> Registers<R> {
    /// So many, each of as many tiles as can be computed at once.
    pub fn new(count: usize) -> Self {
        Self::of_tiles(count, (RESIDENT / (count.max(1) * LANES)).clamp(1, TILES))
    }

    /// So many, each of `capacity` tiles.
    pub fn of_tiles(count: usize, capacity: usize) -> Self {
        let lanes = vec![R::ZERO; count * capacity * LANES + LINE / size_of::<R>()];
        let first = lanes.as_ptr().align_offset(LINE);
        // There may be no answer, which costs time only.
        let first = if first < LINE / size_of::<R>() { first } else { 0 };
        Self { lanes, first, capacity, tiles: capacity }
    }

    /// How many tiles can be computed at once.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Computes so many from now on.
    pub fn set_tiles(&mut self, tiles: usize) {
        self.tiles = tiles.min(self.capacity);
    }

    /// The lanes of a register in all tiles.
    #[inline(always)]
    pub fn tiles(&mut self, register: u32) -> &mut [[R; LANES]] {
        let first = self.first + register as usize * self.capacity * LANES;
        self.lanes[first..][..self.tiles * LANES].as_chunks_mut().0
    }

    /// Sets all lanes of a register.
    #[inline(always)]
    pub fn fill(&mut self, register: u32, value: R) {
        let first = self.first + register as usize * self.capacity * LANES;
        self.lanes[first..][..self.capacity * LANES].fill(value);
    }

    /// All in blocks, each of which may be read and written.
    #[inline(always)]
    pub fn blocks(&mut self) -> Blocks<'_, R> {
        let blocks = self.lanes[self.first..].as_chunks_mut::<BLOCK>().0;
        let tiles = Cell::from_mut(blocks).as_slice_of_cells().as_chunks().0;
        Blocks { tiles, capacity: self.capacity, count: self.tiles }
    }
}

/// The blocks of a tile.
type Tile<R> = [Cell<[R; BLOCK]>; PER_TILE];

/// Registers in blocks.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'r, R: Real> {
    tiles: &'r [Tile<R>],
    /// Tiles of a register.
    capacity: usize,
    /// Those of it that are in use.
    count: usize,
}

impl<'r, R: Real> Blocks<'r, R> {
    /// Those of a register.
    #[inline(always)]
    pub fn of(self, register: u32) -> &'r [Tile<R>] {
        &self.tiles[register as usize * self.capacity..][..self.count]
    }
}
