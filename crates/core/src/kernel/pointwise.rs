//! A pointwise formula over strided operands, compiled for each instruction set.
//!
//! The formula runs over blocks of fixed length that the compiler turns into vectors. An operand that lies in
//! order is read where it is; one that is broadcast, strided or cut off by the end of a row goes through a
//! block of scratch, so that one loop serves all layouts.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

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
    /// The loops; none for a single one over operands that all lie in order.
    plan: Option<&'a Plan>,
    inner: usize,
    /// Where each operand starts: inputs, then (backward) cotangents.
    sources: SmallVec<[*const T; 8]>,
    /// Null for a result not wanted.
    results: SmallVec<[*mut T; 8]>,
    owner: std::marker::PhantomData<&'a mut [T]>,
}

impl<'a, T: Element> Job<'a, T> {
    /// A run over operands of `len` elements that all lie in order.
    #[inline]
    pub(crate) fn in_order(len: usize) -> Self {
        Job {
            plan: None,
            inner: len,
            sources: SmallVec::new(),
            results: SmallVec::new(),
            owner: std::marker::PhantomData,
        }
    }

    /// A run over a plan, whose operands are the sources and then the results.
    pub(crate) fn planned(plan: &'a Plan) -> Self {
        Job { plan: Some(plan), ..Job::in_order(plan.inner) }
    }

    /// Adds an operand to read.
    ///
    /// # Panics
    /// If it is shorter than the run reaches.
    #[inline]
    pub(crate) fn source(&mut self, source: &'a [T]) {
        self.check(source.len());
        self.sources.push(source.as_ptr());
    }

    /// Adds an operand to write, or the place of one that is not wanted.
    ///
    /// # Panics
    /// If it is shorter than the run reaches, or its rows don't lie in order.
    #[inline]
    pub(crate) fn result(&mut self, result: Option<&'a mut [T]>) {
        let Some(result) = result else { return self.results.push(std::ptr::null_mut()) };
        self.check(result.len());
        let operand = self.sources.len() + self.results.len();
        let in_order = |plan: &Plan| plan.inner == 1 || plan.operands[operand].step == 1;
        assert!(self.plan.is_none_or(in_order), "results lie in order");
        self.results.push(result.as_mut_ptr());
    }

    #[inline]
    fn check(&self, len: usize) {
        let operand = self.sources.len() + self.results.len();
        let fits = match self.plan {
            None => self.inner <= len,
            Some(plan) => plan.reach(operand).is_none_or(|last| last < len),
        };
        assert!(fits, "operand {operand} is too short");
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
    if step == 0 {
        // SAFETY: the operand has an element.
        scratch[..width].fill(MaybeUninit::new(unsafe { *start }));
    } else {
        // What lies behind the row's end is computed with and thrown away.
        scratch[..width].fill(MaybeUninit::new(T::ZERO));
        for l in 0..len {
            // SAFETY: the index is that of an element of the operand.
            scratch[l].write(unsafe { *start.add((j + l) * step) });
        }
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
        let Job { plan, inner, sources, results, .. } = self.job;
        assert!(sources.len() == I + C && results.len() == O, "operands as the formula says");
        let mut row = Row {
            steps: ([1; I], [1; C]),
            inputs: [std::ptr::null(); I],
            cotangents: [std::ptr::null(); C],
            results: [std::ptr::null_mut(); O],
        };
        row.inputs.copy_from_slice(&sources[..I]);
        row.cotangents.copy_from_slice(&sources[I..]);
        row.results.copy_from_slice(results);
        let Some(plan) = plan else {
            // SAFETY: `Job` checked that each operand has `inner` elements in order.
            return unsafe { row.sweep::<N, F>(&self.body, *inner) };
        };
        assert!(plan.operands.len() == I + C + O, "a walker for each operand");
        let mut rows = plan.rows();
        while rows.left > 0 {
            // SAFETY: `Job` checked that every index the plan reaches lies inside its operand, and that results
            // lie in order; `offset + (0..inner) * step` are such indices.
            unsafe {
                for i in 0..I {
                    row.steps.0[i] = plan.operands[i].step;
                    row.inputs[i] = sources[i].add(rows.offsets[i]);
                }
                for c in 0..C {
                    row.steps.1[c] = plan.operands[I + c].step;
                    row.cotangents[c] = sources[I + c].add(rows.offsets[I + c]);
                }
                for o in 0..O {
                    if !results[o].is_null() {
                        row.results[o] = results[o].add(rows.offsets[I + C + o]);
                    }
                }
                row.sweep::<N, F>(&self.body, *inner);
            }
            rows.advance();
        }
    }
}

/// One inner loop: where each operand starts and how far its elements are apart.
struct Row<T, const I: usize, const C: usize, const O: usize> {
    steps: ([usize; I], [usize; C]),
    inputs: [*const T; I],
    cotangents: [*const T; C],
    results: [*mut T; O],
}

impl<T: Element, const I: usize, const C: usize, const O: usize> Row<T, I, C, O> {
    /// The body over `len` elements, block by block.
    ///
    /// # Safety
    /// Each operand is valid for `len` elements, its step apart; results lie in order, or are null.
    #[inline(always)]
    unsafe fn sweep<N: Lane<T>, F: Body<I, C, O>>(&self, body: &F, len: usize) {
        let mut scratch_i = [[const { MaybeUninit::<T>::uninit() }; BLOCK]; I];
        let mut scratch_c = [[const { MaybeUninit::<T>::uninit() }; BLOCK]; C];
        let mut j = 0;
        while j < len {
            let wide = len - j >= BLOCK;
            let width = if wide { BLOCK } else { TAIL };
            let count = width.min(len - j);
            let mut inputs = self.inputs;
            let mut cotangents = self.cotangents;
            let mut results = self.results;
            // SAFETY: `j..j + count` are inside `0..len`, for which the caller vouches.
            unsafe {
                for i in 0..I {
                    inputs[i] = readable(inputs[i], self.steps.0[i], j, count, width, &mut scratch_i[i]);
                }
                for c in 0..C {
                    cotangents[c] =
                        readable(cotangents[c], self.steps.1[c], j, count, width, &mut scratch_c[c]);
                }
                for o in 0..O {
                    if !results[o].is_null() {
                        results[o] = results[o].add(j);
                    }
                }
                if wide {
                    block::<T, N, F, BLOCK, I, C, O>(body, inputs, cotangents, results, count);
                } else {
                    block::<T, N, F, TAIL, I, C, O>(body, inputs, cotangents, results, count);
                }
            }
            j += count;
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
