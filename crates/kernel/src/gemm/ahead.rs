//! Memory that comes while tiles are computed, for what follows them.

use std::ops::Range;

use crate::memory::prefetch::{CACHE_LINE, next_announced};

/// The lines that tiles fetch, one for some `steps` along k.
pub(super) struct Ahead<T> {
    /// Where the next tile's lines begin, and how far they are apart.
    at: (*const T, isize),
    /// From a tile's first line to the next tile's, and the same at the end of a turn.
    hop: (isize, isize),
    /// The tiles of a turn that are left, and those of a whole one.
    turn: (usize, usize),
    /// How many tiles there are lines for.
    tiles: usize,
    /// The lines of a tile, if what was announced comes next.
    lines: Option<usize>,
}

impl<T> Ahead<T> {
    /// Elements of a line.
    const ELEMENTS_OF_LINE: isize = (CACHE_LINE / size_of::<T>()) as isize;

    #[inline(always)]
    pub(super) fn nothing() -> Self {
        Ahead { at: (std::ptr::null(), 0), hop: (0, 0), turn: (1, 1), tiles: 0, lines: None }
    }

    /// A block of `height` rows, whose columns are contiguous, `stride` apart. A tile has time for a line
    /// of a column in `steps`: the others' are those of the next tiles.
    pub(super) fn columns((start, stride): (*const T, isize), height: usize, steps: usize) -> Self {
        let signed = steps as isize;
        Ahead {
            at: (start, signed * stride),
            hop: (stride, Self::ELEMENTS_OF_LINE - (signed - 1) * stride),
            turn: (steps, steps),
            tiles: steps * (height.div_ceil(Self::ELEMENTS_OF_LINE as usize) + 1),
            lines: None,
        }
    }

    /// What was announced, by tiles that fetch so many lines.
    #[inline(always)]
    pub(super) fn announced(lines: usize) -> Self {
        Ahead { lines: Some(lines).filter(|lines| *lines > 0), ..Ahead::nothing() }
    }

    /// What a tile that reads `busy` anyway is to fetch: from where on, and how far apart.
    #[inline(always)]
    pub(super) fn next(&mut self, busy: *const T) -> (*const T, isize) {
        if self.tiles == 0 && !self.go_on() {
            return (busy, 0);
        }
        let at = self.at;
        self.tiles -= 1;
        self.turn.0 -= 1;
        let mut hop = self.hop.0;
        if self.turn.0 == 0 {
            (self.turn.0, hop) = (self.turn.1, self.hop.1);
        }
        self.at.0 = self.at.0.wrapping_offset(hop);
        at
    }

    /// Begins with the next piece of those announced.
    #[inline(always)]
    fn go_on(&mut self) -> bool {
        let Some(lines) = self.lines else { return false };
        let Some(Range { start, end }) = next_announced() else {
            self.lines = None;
            return false;
        };
        self.at = (std::ptr::without_provenance(start), Self::ELEMENTS_OF_LINE);
        self.hop.1 = lines as isize * Self::ELEMENTS_OF_LINE;
        self.tiles = (end - start).div_ceil(lines * CACHE_LINE).max(1);
        true
    }
}
