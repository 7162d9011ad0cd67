//! Elements that go through a formula together.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

use std::mem::MaybeUninit;

use super::Body;
use crate::formula::plan::Each;
use crate::number::Number;
use crate::real::Lane;
use crate::run::level::Kernel;

/// Elements that go through the formula together, and those at a row's end.
pub(super) const BLOCK: usize = 64;
pub(crate) const TAIL: usize = 16;

/// Where operands start that lie in order.
#[derive(Clone, Copy)]
pub(super) struct Operands<T, const I: usize, const C: usize, const O: usize> {
    pub(super) inputs: [*const T; I],
    pub(super) cotangents: [*const T; C],
    /// Null where a result is not wanted.
    pub(super) results: [*mut T; O],
}

impl<T, const I: usize, const C: usize, const O: usize> Operands<T, I, C, O> {
    /// What comes behind the first `count` elements. Not by [`Operands::step`]: for few elements that takes
    /// longer.
    ///
    /// # Safety
    /// There are so many.
    #[inline(always)]
    pub(super) unsafe fn skip(&mut self, count: usize) {
        // SAFETY: the caller vouches for it.
        unsafe {
            for i in 0..I {
                self.inputs[i] = self.inputs[i].add(count);
            }
            for c in 0..C {
                self.cotangents[c] = self.cotangents[c].add(count);
            }
            for o in 0..O {
                if !self.results[o].is_null() {
                    self.results[o] = self.results[o].add(count);
                }
            }
        }
    }

    /// What lies so far behind, which may be nothing.
    #[inline(always)]
    pub(super) fn step(&mut self, strides: &Each<I, C, O>) {
        for i in 0..I {
            self.inputs[i] = self.inputs[i].wrapping_add(strides.inputs[i]);
        }
        for c in 0..C {
            self.cotangents[c] = self.cotangents[c].wrapping_add(strides.cotangents[c]);
        }
        for o in 0..O {
            if !self.results[o].is_null() {
                self.results[o] = self.results[o].wrapping_add(strides.results[o]);
            }
        }
    }
}

/// A body over `count` whole blocks in order. Whoever makes one vouches for what
/// [`InOrder::run_blocks`](super::InOrder::run_blocks) asks for.
pub(super) struct OverBlocks<'b, T, F, const I: usize, const C: usize, const O: usize> {
    pub(super) body: &'b F,
    pub(super) start: Operands<T, I, C, O>,
    pub(super) count: usize,
}

impl<T, F, const I: usize, const C: usize, const O: usize> Kernel<T> for OverBlocks<'_, T, F, I, C, O>
where
    T: Number,
    F: Body<I, C, O>,
{
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(mut self) {
        for _ in 0..self.count {
            // SAFETY: whoever made this vouches for the operands, of which the pointers go no further than to
            // the end.
            unsafe {
                block::<T, N, F, BLOCK, I, C, O>(self.body, self.start, BLOCK);
                self.start.skip(BLOCK);
            }
        }
    }
}

/// A body over `rows` rows, at least one, of `len` elements in order, fewer than [`BLOCK`] but on the
/// portable level. Whoever makes one vouches for what [`InOrder::run_short`](super::InOrder::run_short) asks
/// for.
pub(super) struct OverRows<'b, T, F, const I: usize, const C: usize, const O: usize> {
    pub(super) body: &'b F,
    pub(super) start: Operands<T, I, C, O>,
    pub(super) len: usize,
    pub(super) rows: usize,
    /// How far rows are apart.
    pub(super) strides: &'b Each<I, C, O>,
}

impl<T, F, const I: usize, const C: usize, const O: usize> Kernel<T> for OverRows<'_, T, F, I, C, O>
where
    T: Number,
    F: Body<I, C, O>,
{
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(mut self) {
        loop {
            let (mut start, mut len) = (self.start, self.len);
            // SAFETY: whoever made this vouches for the operands, of which the pointers go no further than to
            // the end.
            unsafe {
                while len > 0 {
                    let count = len.min(TAIL);
                    block::<T, N, F, TAIL, I, C, O>(self.body, start, count);
                    start.skip(count);
                    len -= count;
                }
            }
            // A single row pays for no step.
            if self.rows <= 1 {
                return;
            }
            self.rows -= 1;
            self.start.step(self.strides);
        }
    }
}

/// The first `B` elements, of which `len` exist.
///
/// # Safety
/// Each source is valid for reads of `B` elements, each result that is not null for writes of `len <= B`.
#[inline(always)]
unsafe fn block<T, N, F, const B: usize, const I: usize, const C: usize, const O: usize>(
    body: &F,
    start: Operands<T, I, C, O>,
    len: usize,
) where
    T: Number,
    N: Lane<T>,
    F: Body<I, C, O>,
{
    let mut out = [[const { MaybeUninit::<T>::uninit() }; B]; O];
    for j in 0..B {
        // Plain loops: a closure would be compiled without the level's instructions.
        let mut x = [N::lit(0.0); I];
        for i in 0..I {
            // SAFETY: `j < B`, and the caller vouches for `B` readable elements behind each source.
            x[i] = N::wrap(unsafe { *start.inputs[i].add(j) });
        }
        let mut c = [N::lit(0.0); C];
        for k in 0..C {
            // SAFETY: as above.
            c[k] = N::wrap(unsafe { *start.cotangents[k].add(j) });
        }
        let y = body.call(x, c);
        for o in 0..O {
            out[o][j].write(y[o].unwrap());
        }
    }
    for o in 0..O {
        if !start.results[o].is_null() {
            // SAFETY: all `B >= len` elements of `out[o]` are written; the caller vouches for the target.
            unsafe { copy_block::<T, B>(out[o].as_ptr().cast::<T>(), start.results[o], len) };
        }
    }
}

/// Copies the first `len` of `B` elements, all or less than [`TAIL`]: in pieces of lengths that the
/// compiler knows, since a call would take longer than the copy.
///
/// # Safety
/// `from` is valid for reads of `B` elements, `to` for writes of `len <= B`, and they are apart.
#[inline(always)]
unsafe fn copy_block<T: Copy, const B: usize>(from: *const T, to: *mut T, len: usize) {
    // SAFETY: the caller vouches for it; the pieces lie inside `len`.
    unsafe {
        if len == B {
            return to.cast::<[T; B]>().write_unaligned(from.cast::<[T; B]>().read_unaligned());
        }
        let mut at = 0;
        macro_rules! pieces {
            ($($length:literal)*) => {$(
                if len & $length != 0 {
                    let piece = from.add(at).cast::<[T; $length]>().read_unaligned();
                    to.add(at).cast::<[T; $length]>().write_unaligned(piece);
                    at += $length;
                }
            )*};
        }
        pieces!(8 4 2 1);
        debug_assert_eq!(at, len);
    }
}
