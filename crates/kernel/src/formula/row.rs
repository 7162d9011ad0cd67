//! A formula along one row.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

use std::mem::MaybeUninit;

use super::block::Operands;
use super::job::Span;
use super::{InOrder, TAIL, is_short};
use crate::formula::plan::Each;
use crate::number::Number;

/// Elements that go through scratch together.
const SCRATCH: usize = 256;
type Scratch<T> = [MaybeUninit<T>; SCRATCH];

/// One inner loop: where each operand starts and how far its elements are apart.
pub(super) struct Row<T, const I: usize, const C: usize, const O: usize> {
    pub(super) steps: ([usize; I], [usize; C]),
    pub(super) inputs: [Span<*const T>; I],
    pub(super) cotangents: [Span<*const T>; C],
    pub(super) results: [Span<*mut T>; O],
}

impl<T: Number, const I: usize, const C: usize, const O: usize> Row<T, I, C, O> {
    /// Where each operand starts.
    #[inline]
    pub(super) fn start(&self) -> Operands<T, I, C, O> {
        Operands {
            inputs: self.inputs.map(|span| span.start),
            cotangents: self.cotangents.map(|span| span.start),
            results: self.results.map(|span| span.start),
        }
    }

    /// The body over `rows` rows, of which this is the first, of `len` elements.
    ///
    /// # Safety
    /// Each operand is valid for `len` elements of each row, its step apart, and in order for as many as
    /// its span says, which may be none at all; results lie in order, or are null.
    #[inline]
    pub(super) unsafe fn sweep(
        &self,
        body: &dyn InOrder<T, I, C, O>,
        len: usize,
        rows: usize,
        strides: &Each<I, C, O>,
    ) {
        let in_order = self.steps == ([1; I], [1; C]);
        // Behind the last row there may be less room than behind those before.
        let mut left = rows;
        for at_once in [rows, rows - 1] {
            if in_order && at_once > 0 && self.has_room(len.next_multiple_of(TAIL), at_once, strides) {
                // SAFETY: the caller vouches for the operands, and whole vectors of them can be read.
                unsafe { self.in_place(body, len, at_once, strides) };
                left -= at_once;
                break;
            }
        }
        for row in rows - left..rows {
            // SAFETY: the caller vouches for `rows` rows.
            unsafe { self.at(row, strides).through_scratch(body, in_order, len) };
        }
    }

    /// [`Row::sweep`] where whole vectors can be read.
    ///
    /// # Safety
    /// As there.
    #[inline]
    unsafe fn in_place(
        &self,
        body: &dyn InOrder<T, I, C, O>,
        len: usize,
        rows: usize,
        strides: &Each<I, C, O>,
    ) {
        let mut start = self.start();
        if is_short(len) {
            // SAFETY: the caller's promise.
            return unsafe { body.run_short(&start, len, rows, strides) };
        }
        for _ in 0..rows {
            // SAFETY: the caller's promise.
            unsafe { body.run_blocks(&start, len) };
            start.step(strides);
        }
    }

    /// Whether `width` elements can be read in each of so many rows.
    #[inline]
    fn has_room(&self, width: usize, rows: usize, strides: &Each<I, C, O>) -> bool {
        let mut has = true;
        for i in 0..I {
            has &= self.inputs[i].has((rows - 1) * strides.inputs[i], width);
        }
        for c in 0..C {
            has &= self.cotangents[c].has((rows - 1) * strides.cotangents[c], width);
        }
        has
    }

    /// The row so many below.
    ///
    /// # Safety
    /// It is there.
    unsafe fn at(&self, row: usize, strides: &Each<I, C, O>) -> Self {
        let mut below = Row { ..*self };
        // SAFETY: the caller vouches for it.
        unsafe {
            for i in 0..I {
                below.inputs[i] = self.inputs[i].skip(row * strides.inputs[i]);
            }
            for c in 0..C {
                below.cotangents[c] = self.cotangents[c].skip(row * strides.cotangents[c]);
            }
            for o in 0..O {
                below.results[o] = self.results[o].skip(row * strides.results[o]);
            }
        }
        below
    }

    /// The body over one row, of which what can't be read in whole vectors where it is goes through
    /// scratch.
    ///
    /// # Safety
    /// As for [`Row::sweep`].
    unsafe fn through_scratch(&self, body: &dyn InOrder<T, I, C, O>, in_order: bool, len: usize) {
        let mut scratch_i = [[const { MaybeUninit::<T>::uninit() }; SCRATCH]; I];
        let mut scratch_c = [[const { MaybeUninit::<T>::uninit() }; SCRATCH]; C];
        // The whole vectors of operands in order need none.
        let whole = if in_order { len / TAIL * TAIL } else { 0 };
        let mut start = self.start();
        // SAFETY: `j..j + count` are inside `0..len`, for which the caller vouches.
        unsafe {
            if whole > 0 {
                run(body, &start, whole);
            }
            let mut j = whole;
            while j < len {
                let count = SCRATCH.min(len - j);
                for i in 0..I {
                    let source = (self.inputs[i], self.steps.0[i]);
                    start.inputs[i] = readable(source, j, count, j == whole, &mut scratch_i[i]);
                }
                for c in 0..C {
                    let source = (self.cotangents[c], self.steps.1[c]);
                    start.cotangents[c] = readable(source, j, count, j == whole, &mut scratch_c[c]);
                }
                for o in 0..O {
                    start.results[o] = self.results[o].skip(j).start;
                }
                run(body, &start, count);
                j += count;
            }
        }
    }
}

/// The body over elements in order, however many.
///
/// # Safety
/// As for [`InOrder::run_short`], of one row.
unsafe fn run<T: Number, const I: usize, const C: usize, const O: usize>(
    body: &dyn InOrder<T, I, C, O>,
    start: &Operands<T, I, C, O>,
    len: usize,
) {
    // SAFETY: the caller vouches for it.
    unsafe {
        if is_short(len) {
            body.run_short(start, len, 1, &Each::ZERO);
        } else {
            body.run_blocks(start, len);
        }
    }
}

/// Where elements `j..j + len` of a row can be read in whole vectors: in place, or in `scratch`, filled
/// here; with the one element of a repeated operand at the `first` time alone, since no later piece is
/// longer.
///
/// # Safety
/// `(j..j + len) * step` lie inside the operand.
#[inline]
unsafe fn readable<T: Number>(
    (operand, step): (Span<*const T>, usize),
    j: usize,
    len: usize,
    first: bool,
    scratch: &mut Scratch<T>,
) -> *const T {
    let width = len.next_multiple_of(TAIL);
    if step == 1 && operand.has(j, width) {
        // SAFETY: `width` elements from `j` on lie inside the operand's memory.
        return unsafe { operand.start.add(j) };
    }
    if step == 0 {
        if first {
            // SAFETY: the operand has an element.
            scratch[..width].fill(MaybeUninit::new(unsafe { *operand.start }));
        }
    } else {
        for l in 0..len {
            // SAFETY: the index is that of an element of the operand.
            scratch[l].write(unsafe { *operand.start.add((j + l) * step) });
        }
        // What lies behind the row's end is computed with and thrown away.
        scratch[len..width].fill(MaybeUninit::new(T::ZERO));
    }
    scratch.as_ptr().cast()
}
