//! Copies blocks of rows ahead of the tiles that are computed; see [`crate::cpu::stage`].

use std::cell::Cell;
use std::marker::PhantomData;

use crate::Element;
use crate::cpu::prefetch::prefetch;
use crate::number::LANES;

/// Tiles of a group.
pub const TILES: usize = 8;

/// Copies the rows of the next group, block by block.
#[derive(Debug)]
pub(crate) struct Copier<'a, E: Element> {
    /// Where they are copied to.
    to: Cell<*mut E>,
    /// The first column of each row in memory.
    from: Vec<*const E>,
    /// The first column of the group.
    column: Cell<usize>,
    /// Blocks that have been copied.
    done: Cell<usize>,
    arrays: PhantomData<&'a [E]>,
}

impl<E: Element> Copier<'_, E> {
    /// Copies rows with these first columns to `to`, once it has begun.
    pub fn new(from: Vec<*const E>, to: *mut E) -> Self {
        let done = Cell::new(from.len() * TILES);
        Self { to: Cell::new(to), from, column: Cell::new(usize::MAX), done, arrays: PhantomData }
    }

    /// Begins to copy the group whose first column is `column`.
    ///
    /// # Safety
    /// As long as it is used, every row can be read in the columns of that group, and there is a place for a block of each tile of each row
    /// where they are copied to, which nobody has a reference to.
    pub unsafe fn begin(&self, column: usize) {
        self.column.set(column);
        self.done.set(0);
    }

    /// Whether that group has been begun and not completed.
    pub fn has_begun(&self, column: usize) -> bool {
        self.column.get() == column
    }

    /// Copies what is left. Returns where the group is; the next one is copied to `to`.
    pub fn complete(&self, to: *mut E) -> *mut E {
        while self.done.get() < self.from.len() * TILES {
            self.copy();
        }
        self.column.set(usize::MAX);
        self.to.replace(to)
    }

    /// Copies another block, if there is one, and asks for the same columns of the next row.
    #[inline(always)]
    pub fn copy(&self) {
        let done = self.done.get();
        let (row, column) = (done / TILES, self.column.get() + done % TILES * LANES);
        let Some(from) = self.from.get(row) else { return };
        if let Some(next) = self.from.get(row + 1) {
            prefetch(next.wrapping_add(column));
        }
        // SAFETY: guaranteed by the caller of `begin`.
        unsafe {
            std::ptr::copy_nonoverlapping(from.add(column), self.to.get().add(done * LANES), LANES);
        }
        self.done.set(done + 1);
    }
}
