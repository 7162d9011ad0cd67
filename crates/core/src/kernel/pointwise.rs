//! A pointwise formula over strided operands, compiled for each instruction set.
//!
//! The formula runs over blocks of fixed length that the compiler turns into vectors. An operand that lies in
//! order is read where it is; one that is broadcast, strided or cut off by the end of a row goes through a
//! block of scratch, so that one loop serves all layouts.
#![allow(clippy::needless_range_loop, reason = "arrays of operands are walked side by side, without closures")]

use std::mem::MaybeUninit;

use smallvec::SmallVec;

use super::level::{Kernel, dispatch};
use super::plan::Plan;
use crate::element::Element;
use crate::pointwise::{Pointwise, vjp};
use crate::real::{Fused, Lane, Real};

/// Elements that go through the formula together, and those at a row's end.
const BLOCK: usize = 64;
const TAIL: usize = 16;

/// Operands and results of one run of a formula, bounds checked.
pub struct Job<'a, T> {
    plan: &'a Plan,
    /// Where each operand starts: inputs, then (backward) cotangents, then results; null for a result not wanted.
    sources: SmallVec<[*const T; 8]>,
    results: SmallVec<[*mut T; 8]>,
    owner: std::marker::PhantomData<&'a mut [T]>,
}

impl<'a, T: Element> Job<'a, T> {
    /// The plan's operands are `sources` and then `results`, in that order; `None` is a result not wanted.
    ///
    /// # Panics
    /// If an operand is shorter than the plan reaches.
    pub(crate) fn new<'s>(
        plan: &'a Plan,
        sources: impl Iterator<Item = &'s [T]>,
        results: impl Iterator<Item = Option<&'a mut [T]>>,
    ) -> Self
    where
        T: 's,
        's: 'a,
    {
        let mut job = Job { plan, sources: SmallVec::new(), results: SmallVec::new(), owner: std::marker::PhantomData };
        for source in sources {
            job.check(source.len());
            job.sources.push(source.as_ptr());
        }
        for result in results {
            match result {
                Some(result) => {
                    job.check(result.len());
                    let operand = job.sources.len() + job.results.len();
                    assert!(plan.inner == 1 || plan.operands[operand].step == 1, "results lie in order");
                    job.results.push(result.as_mut_ptr());
                }
                None => job.results.push(std::ptr::null_mut()),
            }
        }
        assert_eq!(job.sources.len() + job.results.len(), plan.operands.len(), "a walker for each operand");
        job
    }

    fn check(&self, len: usize) {
        let operand = self.sources.len() + self.results.len();
        assert!(self.plan.reach(operand).is_none_or(|last| last < len), "operand {operand} is too short");
    }
}

/// What a block is put through: the formula itself, or its derivative.
trait Body<const I: usize, const C: usize, const O: usize> {
    fn call<R: Real>(&self, inputs: [R; I], cotangents: [R; C]) -> [R; O];
}

struct Value<'p, P>(&'p P);

impl<P: Pointwise<I, O>, const I: usize, const O: usize> Body<I, 0, O> for Value<'_, P> {
    #[inline(always)]
    fn call<R: Real>(&self, inputs: [R; I], _: [R; 0]) -> [R; O] {
        self.0.eval(inputs)
    }
}

struct Pullback<'p, P>(&'p P);

impl<P: Pointwise<I, O>, const I: usize, const O: usize> Body<I, O, I> for Pullback<'_, P> {
    #[inline(always)]
    fn call<R: Real>(&self, inputs: [R; I], cotangents: [R; O]) -> [R; I] {
        vjp(self.0, inputs, cotangents)
    }
}

/// One block of `B` elements, of which `len` exist, at the given pointers.
///
/// # Safety
/// Each source is valid for reads of `B` elements, each result that is not null for writes of `len <= B`.
#[inline(always)]
unsafe fn block<T, N, F, const B: usize, const I: usize, const C: usize, const O: usize>(
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
            unsafe { std::ptr::copy_nonoverlapping(out[o].as_ptr().cast::<T>(), results[o], len) };
        }
    }
}

/// Where block `j..j + len` of a row can be read `width` wide: in place, or in `scratch`, filled here.
///
/// # Safety
/// `start + (j..j + len) * step` lie inside the operand.
#[inline(always)]
unsafe fn readable<T: Element>(
    start: *const T,
    step: usize,
    j: usize,
    len: usize,
    width: usize,
    scratch: &mut [MaybeUninit<T>; BLOCK],
) -> *const T {
    if step == 1 && len == width {
        // SAFETY: `width` elements from `j` on lie inside the operand.
        return unsafe { start.add(j) };
    }
    for (l, place) in scratch[..width].iter_mut().enumerate() {
        // SAFETY: the index is that of an element of the operand.
        place.write(if l < len || step == 0 { unsafe { *start.add((j + l) * step) } } else { T::ZERO });
    }
    scratch.as_ptr().cast()
}

/// A body over all rows of a job.
struct Sweep<'j, 'a, T, F, const I: usize, const C: usize, const O: usize> {
    body: F,
    job: &'j Job<'a, T>,
}

impl<T, F, const I: usize, const C: usize, const O: usize> Kernel<T> for Sweep<'_, '_, T, F, I, C, O>
where
    T: Element,
    F: Body<I, C, O>,
{
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        let Job { plan, sources, results, .. } = self.job;
        assert!(sources.len() == I + C && results.len() == O, "operands as the formula says");
        let mut scratch_i = [[const { MaybeUninit::<T>::uninit() }; BLOCK]; I];
        let mut scratch_c = [[const { MaybeUninit::<T>::uninit() }; BLOCK]; C];
        let mut rows = plan.rows();
        while rows.left > 0 {
            let mut j = 0;
            while j < plan.inner {
                let left = plan.inner - j;
                let wide = left >= BLOCK;
                let width = if wide { BLOCK } else { TAIL };
                let len = left.min(width);
                let mut inputs = [std::ptr::null(); I];
                let mut cotangents = [std::ptr::null(); C];
                let mut targets = [std::ptr::null_mut(); O];
                // SAFETY: `Job::new` checked that every index the plan reaches lies inside its operand, and that
                // results lie in order; `offset + (j..j + len) * step` are such indices.
                unsafe {
                    for i in 0..I {
                        let start = sources[i].add(rows.offsets[i]);
                        inputs[i] = readable(start, plan.operands[i].step, j, len, width, &mut scratch_i[i]);
                    }
                    for c in 0..C {
                        let start = sources[I + c].add(rows.offsets[I + c]);
                        cotangents[c] = readable(start, plan.operands[I + c].step, j, len, width, &mut scratch_c[c]);
                    }
                    for o in 0..O {
                        if !results[o].is_null() {
                            targets[o] = results[o].add(rows.offsets[I + C + o] + j);
                        }
                    }
                    if wide {
                        block::<T, N, F, BLOCK, I, C, O>(&self.body, inputs, cotangents, targets, len);
                    } else {
                        block::<T, N, F, TAIL, I, C, O>(&self.body, inputs, cotangents, targets, len);
                    }
                }
                j += len;
            }
            rows.advance();
        }
    }
}

impl<T> Job<'_, T>
where
    T: Element + Lane<T>,
    Fused<T>: Lane<T>,
{
    /// Results: the formula's outputs.
    pub fn forward<P: Pointwise<I, O>, const I: usize, const O: usize>(&self, formula: &P) {
        dispatch(Sweep::<T, _, I, 0, O> { body: Value(formula), job: self });
    }

    /// Results: the cotangents of the inputs, from inputs and the cotangents of the outputs.
    pub fn backward<P: Pointwise<I, O>, const I: usize, const O: usize>(&self, formula: &P) {
        dispatch(Sweep::<T, _, I, O, I> { body: Pullback(formula), job: self });
    }
}
