//! A formula along one row.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

use std::mem::MaybeUninit;

use super::Body;
use super::block::{BLOCK, HALF, TAIL, block};
use crate::element::Element;
use crate::kernel::job::Span;
use crate::real::Lane;

/// One inner loop: where each operand starts and how far its elements are apart.
pub(super) struct Row<T, const I: usize, const C: usize, const O: usize> {
    pub(super) steps: ([usize; I], [usize; C]),
    pub(super) inputs: [Span<*const T>; I],
    pub(super) cotangents: [Span<*const T>; C],
    pub(super) results: [Span<*mut T>; O],
}

impl<T: Element, const I: usize, const C: usize, const O: usize> Row<T, I, C, O> {
    /// The body over `len` elements, block by block.
    ///
    /// # Safety
    /// Each operand is valid for `len` elements, its step apart, and in order for as many as its span says;
    /// results lie in order, or are null.
    #[inline(always)]
    pub(super) unsafe fn sweep<N: Lane<T>, F: Body<I, C, O>>(&self, body: &F, len: usize) {
        let mut scratch_i = [[const { MaybeUninit::<T>::uninit() }; BLOCK]; I];
        let mut scratch_c = [[const { MaybeUninit::<T>::uninit() }; BLOCK]; C];
        let mut j = 0;
        while j < len {
            let width = match len - j {
                BLOCK.. => BLOCK,
                left if left > TAIL => HALF,
                _ => TAIL,
            };
            let count = width.min(len - j);
            let mut inputs = [std::ptr::null(); I];
            let mut cotangents = [std::ptr::null(); C];
            let mut results = [std::ptr::null_mut(); O];
            // SAFETY: `j..j + count` are inside `0..len`, for which the caller vouches.
            unsafe {
                for i in 0..I {
                    inputs[i] = readable(self.inputs[i], self.steps.0[i], j, count, width, &mut scratch_i[i]);
                }
                for c in 0..C {
                    cotangents[c] =
                        readable(self.cotangents[c], self.steps.1[c], j, count, width, &mut scratch_c[c]);
                }
                for o in 0..O {
                    results[o] = self.results[o].skip(j).start;
                }
                match width {
                    BLOCK => block::<T, N, F, BLOCK, I, C, O>(body, inputs, cotangents, results, count),
                    HALF => block::<T, N, F, HALF, I, C, O>(body, inputs, cotangents, results, count),
                    _ => block::<T, N, F, TAIL, I, C, O>(body, inputs, cotangents, results, count),
                }
            }
            j += count;
        }
    }
}

/// Where block `j..j + len` of a row can be read `width` wide: in place, or in `scratch`, filled here.
///
/// # Safety
/// `(j..j + len) * step` lie inside the operand.
#[inline(always)]
unsafe fn readable<T: Element>(
    operand: Span<*const T>,
    step: usize,
    j: usize,
    len: usize,
    width: usize,
    scratch: &mut [MaybeUninit<T>; BLOCK],
) -> *const T {
    if step == 1 && operand.has(j, width) {
        // SAFETY: `width` elements from `j` on lie inside the operand's memory.
        return unsafe { operand.start.add(j) };
    }
    if step == 0 {
        // SAFETY: the operand has an element.
        scratch[..width].fill(MaybeUninit::new(unsafe { *operand.start }));
    } else {
        // What lies behind the row's end is computed with and thrown away.
        scratch[..width].fill(MaybeUninit::new(T::ZERO));
        for l in 0..len {
            // SAFETY: the index is that of an element of the operand.
            scratch[l].write(unsafe { *operand.start.add((j + l) * step) });
        }
    }
    scratch.as_ptr().cast()
}
