//! Memory that comes while tiles are computed, for what follows them.

use std::ops::Range;

use crate::kernel::prefetch::{self, LINE, Soon};

/// The lines that tiles fetch, one at each step along k: a tile takes as many as it has steps.
pub(super) struct Ahead<T> {
    /// Where the next tile's lines begin, and how far they are apart.
    at: (*const T, isize),
    /// From a tile's first line to the next one's.
    hop: isize,
    /// How many tiles there are lines for.
    tiles: usize,
    /// What comes after these, for tiles of a known number of steps.
    then: Option<(Soon, usize)>,
}

impl<T> Ahead<T> {
    /// Elements of a line.
    const LINE: usize = LINE / size_of::<T>();

    pub(super) fn nothing() -> Self {
        Ahead { at: (std::ptr::null(), 0), hop: 0, tiles: 0, then: None }
    }

    /// A block of `height` rows, whose columns are contiguous.
    pub(super) fn columns((at, step): (*const T, isize), height: usize) -> Self {
        Ahead { at: (at, step), hop: Self::LINE as isize, tiles: height.div_ceil(Self::LINE) + 1, then: None }
    }

    /// What was announced, by tiles of `steps`.
    pub(super) fn announced(steps: usize) -> Self {
        Ahead { then: prefetch::take().map(|soon| (soon, steps)), ..Ahead::nothing() }
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

    /// Begins with the next range of those announced.
    #[inline]
    fn go_on(&mut self) -> bool {
        let Some((soon, steps)) = &mut self.then else { return false };
        let Some(Range { start, end }) = soon.next() else { return false };
        self.at = (std::ptr::without_provenance(start), Self::LINE as isize);
        self.hop = (*steps * Self::LINE) as isize;
        self.tiles = (end - start).div_ceil(*steps * LINE).max(1);
        true
    }
}
