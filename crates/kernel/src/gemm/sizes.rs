//! How large the blocks of a product are, once for all loops, under the names of the literature.
//!
//! A large product is five loops around a micro-kernel (Goto and van de Geijn, "Anatomy of High-Performance
//! Matrix Multiplication", ACM TOMS 34, 2008; Van Zee and van de Geijn, "BLIS", ACM TOMS 41, 2015), from
//! the outermost in:
//!
//! 5. `jc` over n in steps of nc: a block of B's columns;
//! 4. `pc` over k in steps of kc: the block's rows, which are packed into micro-panels;
//! 3. `ic` over m in steps of mc: a strip of A's rows;
//! 2. `jr` over nc in steps of nr: a micro-panel of B, near the core;
//! 1. `ir` over mc in steps of mr: rows of A, and a tile of C in registers, which the micro-kernel computes
//!    along kc.
//!
//! Steps are evened out: `total` goes in as few parts as possible, of nearly equal length ([`even_parts`]).

use crate::run::team::share_of;

/// Rows of a tile of C: as many times [`Vector::NR`](super::vector::Vector::NR) registers hold its sums.
pub(super) const MR: usize = 6;
/// Rows of A that pass by a block of B in turn.
pub(super) const MC: usize = 120;
/// Bytes of kc elements: a micro-panel of so many rows stays near the core.
const KC_BYTES: usize = 2048;
/// Bytes of nc elements: the columns of a block of B that is packed on the way.
const NC_BYTES: usize = 8192;

/// Rows of a block of B.
pub(super) const fn kc<T>() -> usize {
    KC_BYTES / size_of::<T>()
}

/// Columns of a block of B.
pub(super) const fn nc<T>() -> usize {
    NC_BYTES / size_of::<T>()
}

/// `total` in as few parts of at most `most` as possible, of nearly equal length: where each begins, and
/// its length.
pub(super) fn even_parts(total: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = total.div_ceil(most);
    (0..count).map(move |i| {
        let start = share_of(total, i, count);
        (start, share_of(total, i + 1, count) - start)
    })
}
