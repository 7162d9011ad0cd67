//! Blocks of operands laid out for tiles: panels of B, and columns of A.

use std::ops::Range;

use super::panels::width;
use super::product::Extents;
use super::sizes::{even_parts, kc};
use super::vector::Vector;

/// Packs these panels of B, k x n.
///
/// # Safety
/// B's elements are valid, `to` has room for k rows of whole vectors, the machine has V's instructions.
#[inline(always)]
pub(super) unsafe fn pack_whole<V: Vector>(
    extents: Extents,
    b: (*const V::Item, isize, isize),
    to: *mut V::Item,
    panels: Range<usize>,
) {
    for (from, depth) in even_parts(extents.k, kc::<V::Item>()) {
        // SAFETY: the block lies inside B, and its pack inside the whole one.
        unsafe {
            let block = (b.0.offset(from as isize * b.1), b.1, b.2);
            pack_block::<V>(
                Extents { k: depth, ..extents },
                block,
                to.add(from * width(extents.n, V::LANES)),
                panels.clone(),
            );
        }
    }
}

/// Packs these panels of one block of B.
///
/// # Safety
/// As for [`pack_whole`].
#[inline(always)]
pub(super) unsafe fn pack_block<V: Vector>(
    Extents { k, n, .. }: Extents,
    b: (*const V::Item, isize, isize),
    to: *mut V::Item,
    panels: Range<usize>,
) {
    for (first, side) in even_parts(n.div_ceil(V::LANES), V::NR).take(panels.end).skip(panels.start) {
        let (j, end) = (first * V::LANES, n.min((first + side) * V::LANES));
        // SAFETY: the columns lie inside B, the panel inside the pack.
        unsafe {
            let (from, panel) = ((b.0.offset(j as isize * b.2), b.1, b.2), to.add(k * j));
            if b.2 == 1 {
                pack_rows::<V>((k, end - j, side), from, panel);
            } else {
                let pitch = side * V::LANES;
                for p in 0..k {
                    for column in end - j..pitch {
                        panel.add(p * pitch + column).write(V::Item::default());
                    }
                }
                transpose::<V>((end - j, k), (from.0, b.2, b.1), panel, pitch);
            }
        }
    }
}

/// A panel of contiguous rows, `side` vectors wide, of which `columns` elements count.
///
/// # Safety
/// As for [`pack_whole`].
#[inline(always)]
unsafe fn pack_rows<V: Vector>(
    (k, columns, side): (usize, usize, usize),
    from: (*const V::Item, isize, isize),
    panel: *mut V::Item,
) {
    // SAFETY: only the lanes that lie inside the columns are read.
    unsafe {
        let (full, last) = (V::mask(V::LANES), V::mask(columns - (side - 1) * V::LANES));
        for p in 0..k {
            let row = from.0.offset(p as isize * from.1);
            for s in 0..side {
                let lanes = if s + 1 == side { last } else { full };
                V::load(row.add(s * V::LANES), lanes).store(panel.add((p * side + s) * V::LANES), full);
            }
        }
    }
}

/// Copies a block of A, whose rows are not contiguous, column by column.
///
/// # Safety
/// A's elements are valid, `to` has room for as many, the machine has V's instructions.
#[inline(always)]
pub(super) unsafe fn gather<V: Vector>(
    (rows, columns): (usize, usize),
    from: (*const V::Item, isize, isize),
    to: *mut V::Item,
) {
    // SAFETY: all indices lie inside the extents.
    unsafe {
        for p in 0..columns {
            let (column, to) = (from.0.offset(p as isize * from.2), to.add(p * rows));
            if from.1 == 1 {
                let whole = rows - rows % V::LANES;
                for i in (0..whole).step_by(V::LANES) {
                    V::load(column.add(i), V::mask(V::LANES)).store(to.add(i), V::mask(V::LANES));
                }
                if whole < rows {
                    let rest = V::mask(rows - whole);
                    V::load(column.add(whole), rest).store(to.add(whole), rest);
                }
            } else {
                for i in 0..rows {
                    to.add(i).write(*column.offset(i as isize * from.1));
                }
            }
        }
    }
}

/// Writes a matrix of these rows and columns to the transposed place: rows of `to` are `pitch` apart.
///
/// # Safety
/// The elements of both are valid, the machine has V's instructions.
#[inline(always)]
unsafe fn transpose<V: Vector>(
    (rows, columns): (usize, usize),
    from: (*const V::Item, isize, isize),
    to: *mut V::Item,
    pitch: usize,
) {
    let square = V::SQUARE;
    let whole = |extent: usize| if from.2 == 1 { extent - extent % square } else { 0 };
    let (down, across) = (whole(rows), whole(columns));
    // SAFETY: all indices lie inside the extents.
    unsafe {
        let at = |i: usize, j: usize| from.0.offset(i as isize * from.1 + j as isize * from.2);
        for j in (0..across).step_by(square) {
            for i in (0..down).step_by(square) {
                V::transpose(at(i, j), from.1, to.add(j * pitch + i), pitch);
            }
        }
        for j in 0..columns {
            for i in if j < across { down } else { 0 }..rows {
                to.add(j * pitch + i).write(*at(i, j));
            }
        }
    }
}
