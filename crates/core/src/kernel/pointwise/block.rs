//! Elements that go through a formula together.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

use std::mem::MaybeUninit;

use super::Body;
use crate::element::Element;
use crate::real::Lane;

/// Elements that go through the formula together, and those at a row's end.
pub(super) const BLOCK: usize = 64;
pub(super) const HALF: usize = 32;
pub(in crate::kernel) const TAIL: usize = 16;

/// One block of `B` elements, of which `len` exist.
///
/// # Safety
/// Each source is valid for reads of `B` elements, each result that is not null for writes of `len <= B`.
#[inline(always)]
pub(super) unsafe fn block<T, N, F, const B: usize, const I: usize, const C: usize, const O: usize>(
    body: &F,
    inputs: [*const T; I],
    cotangents: [*const T; C],
    results: [*mut T; O],
    len: usize,
) where
    T: Element,
    N: Lane<T>,
    F: Body<I, C, O>,
{
    let mut out = [[const { MaybeUninit::<T>::uninit() }; B]; O];
    for j in 0..B {
        // Plain loops: a closure would be compiled without the level's instructions.
        let mut x = [N::lit(0.0); I];
        for i in 0..I {
            // SAFETY: `j < B`, and the caller vouches for `B` readable elements behind each source.
            x[i] = N::wrap(unsafe { *inputs[i].add(j) });
        }
        let mut c = [N::lit(0.0); C];
        for k in 0..C {
            // SAFETY: as above.
            c[k] = N::wrap(unsafe { *cotangents[k].add(j) });
        }
        let y = body.call(x, c);
        for o in 0..O {
            out[o][j].write(y[o].unwrap());
        }
    }
    for o in 0..O {
        if !results[o].is_null() {
            // SAFETY: all `B >= len` elements of `out[o]` are written; the caller vouches for the target.
            unsafe { copy_block::<T, B>(out[o].as_ptr().cast::<T>(), results[o], len) };
        }
    }
}

/// Copies the first `len` of `B` elements: in pieces of lengths that the compiler knows, since a call would take longer than the copy.
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
                    to.add(at).cast::<[T; $length]>().write_unaligned(from.add(at).cast::<[T; $length]>().read_unaligned());
                    at += $length;
                }
            )*};
        }
        pieces!(32 16 8 4 2 1);
        debug_assert_eq!(at, len);
    }
}
