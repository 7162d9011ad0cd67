//! Memory that comes while tiles are computed, for what follows them.

use std::ops::Range;

use crate::kernel::prefetch::{LINE, next_announced};

/// The lines that tiles fetch, one at each step along k: a tile takes as many as it has steps.
pub(super) struct Ahead<T> {
    /// Where the next tile's lines begin, and how far they are apart.
    at: (*const T, isize),
    /// From a tile's first line to the next one's.
    hop: isize,
    /// How many tiles there are lines for.
    tiles: usize,
    /// The steps of a tile, if what was announced comes next.
    steps: Option<usize>,
}

impl<T> Ahead<T> {
    /// Elements of a line.
    const LINE: usize = LINE / size_of::<T>();

    #[inline(always)]
    pub(super) fn nothing() -> Self {
        Ahead { at: (std::ptr::null(), 0), hop: 0, tiles: 0, steps: None }
    }

    /// A block of `height` rows, whose columns are contiguous.
    pub(super) fn columns(at: (*const T, isize), height: usize) -> Self {
        Ahead { at, hop: Self::LINE as isize, tiles: height.div_ceil(Self::LINE) + 1, steps: None }
    }

    /// What was announced, by tiles of `steps`.
    #[inline(always)]
    pub(super) fn announced(steps: usize) -> Self {
        Ahead { steps: Some(steps), ..Ahead::nothing() }
    }

    /// What a tile that reads `busy` anyway is to fetch: from where on, and how far apart.
    #[inline(always)]
    pub(super) fn next(&mut self, busy: *const T) -> (*const T, isize) {
        if self.tiles == 0 && !self.go_on() {
            return (busy, 0);
        }
        let at = self.at;
        self.at.0 = self.at.0.wrapping_offset(self.hop);
        self.tiles -= 1;
        at
    }

    /// Begins with the next piece of those announced.
    #[inline(always)]
    fn go_on(&mut self) -> bool {
        let Some(steps) = self.steps else { return false };
        let Some(Range { start, end }) = next_announced() else {
            self.steps = None;
            return false;
        };
        self.at = (std::ptr::without_provenance(start), Self::LINE as isize);
        self.hop = (steps * Self::LINE) as isize;
        self.tiles = (end - start).div_ceil(steps * LINE).max(1);
        true
    }
}
