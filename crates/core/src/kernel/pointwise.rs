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

use super::level::{Kernel, dispatch};
use super::plan::Plan;
use crate::element::Element;
use crate::pointwise::{Pointwise, vjp};
use crate::real::{Fused, Lane, Real};

/// Elements that go through the formula together, and those at a row's end.
const BLOCK: usize = 64;
const TAIL: usize = 16;

/// Operands and results of one run of a formula, bounds checked.
///
/// A slice begins at its operand's first element and may go on behind the last: what lies there is computed with
/// and thrown away, and behind the end of a result it is overwritten, so that whole vectors can be moved.
pub struct Job<'a, T, const I: usize, const C: usize, const O: usize> {
    /// The loops; none for a single one over operands that all lie in order.
    plan: Option<&'a Plan>,
    inner: usize,
    inputs: [Span<*const T>; I],
    cotangents: [Span<*const T>; C],
    /// Null for a result not wanted.
    results: [Span<*mut T>; O],
    owner: std::marker::PhantomData<&'a mut [T]>,
}

/// What computes a formula's outputs.
pub type Forward<'a, T, const I: usize, const O: usize> = Job<'a, T, I, 0, O>;

/// What computes the cotangents of a formula's inputs.
pub type Backward<'a, T, const I: usize, const O: usize> = Job<'a, T, I, O, I>;

/// Where an operand starts and how many elements its memory has from there on.
#[derive(Clone, Copy)]
struct Span<P> {
    start: P,
    len: usize,
}

impl<P> Span<P> {
    /// Whether `width` elements from `j` on are there.
    #[inline(always)]
    fn has(&self, j: usize, width: usize) -> bool {
        j + width <= self.len
    }
}

impl<'a, T: Element, const I: usize, const C: usize, const O: usize> Job<'a, T, I, C, O> {
    /// A run over `len` elements of operands that all lie in order.
    ///
    /// # Panics
    /// If an operand is shorter.
    #[inline]
    pub(crate) fn in_order(
        len: usize,
        inputs: [&'a [T]; I],
        cotangents: [&'a [T]; C],
        results: [Option<&'a mut [T]>; O],
    ) -> Self {
        let job = Job::unchecked(None, len, inputs, cotangents, results);
        job.check(|_, span| span >= len);
        job
    }

    /// A run over a plan, whose operands are the inputs, the cotangents and the results.
    ///
    /// # Panics
    /// If an operand is shorter than the plan reaches, or the rows of a result don't lie in order.
    pub(crate) fn planned(
        plan: &'a Plan,
        inputs: [&'a [T]; I],
        cotangents: [&'a [T]; C],
        results: [Option<&'a mut [T]>; O],
    ) -> Self {
        assert!(plan.operands.len() == I + C + O, "a walker for each operand");
        let in_order = |operand: usize| plan.inner == 1 || plan.operands[operand].step == 1;
        assert!((I + C..I + C + O).all(in_order), "results lie in order");
        let job = Job::unchecked(Some(plan), plan.inner, inputs, cotangents, results);
        job.check(|operand, span| plan.reach(operand).is_none_or(|last| last < span));
        job
    }

    #[inline(always)]
    fn unchecked(
        plan: Option<&'a Plan>,
        inner: usize,
        inputs: [&'a [T]; I],
        cotangents: [&'a [T]; C],
        results: [Option<&'a mut [T]>; O],
    ) -> Self {
        Job {
            plan,
            inner,
            inputs: inputs.map(|slice| Span { start: slice.as_ptr(), len: slice.len() }),
            cotangents: cotangents.map(|slice| Span { start: slice.as_ptr(), len: slice.len() }),
            results: results.map(|slice| match slice {
                Some(slice) => Span { start: slice.as_mut_ptr(), len: slice.len() },
                None => Span { start: std::ptr::null_mut(), len: 0 },
            }),
            owner: std::marker::PhantomData,
        }
    }

    /// Whether every operand has memory up to the end of its last vector.
    #[inline(always)]
    fn has_whole_vectors(&self) -> bool {
        let end = self.inner.next_multiple_of(TAIL);
        let mut all = true;
        for i in 0..I {
            all &= self.inputs[i].len >= end;
        }
        for c in 0..C {
            all &= self.cotangents[c].len >= end;
        }
        for o in 0..O {
            all &= self.results[o].start.is_null() || self.results[o].len >= end;
        }
        all
    }

    /// That each operand's length is enough.
    #[inline(always)]
    fn check(&self, enough: impl Fn(usize, usize) -> bool) {
        for i in 0..I {
            assert!(enough(i, self.inputs[i].len), "input {i} is too short");
        }
        for c in 0..C {
            assert!(enough(I + c, self.cotangents[c].len), "cotangent {c} is too short");
        }
        for o in 0..O {
            let wanted = !self.results[o].start.is_null();
            assert!(!wanted || enough(I + C + o, self.results[o].len), "result {o} is too short");
        }
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

/// One block of `B` elements, of which `len` exist.
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

/// A body over all rows of a job.
struct Sweep<'j, 'a, T, F, const I: usize, const C: usize, const O: usize> {
    body: F,
    job: &'j Job<'a, T, I, C, O>,
}

impl<T, F, const I: usize, const C: usize, const O: usize> Kernel<T> for Sweep<'_, '_, T, F, I, C, O>
where
    T: Element,
    F: Body<I, C, O>,
{
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        let Job { plan, inner, inputs, cotangents, results, .. } = self.job;
        let mut row =
            Row { steps: ([1; I], [1; C]), inputs: *inputs, cotangents: *cotangents, results: *results };
        let Some(plan) = plan else {
            // SAFETY: `Job` checked that each operand has `inner` elements in order.
            return unsafe {
                if self.job.has_whole_vectors() {
                    self.in_place::<N>()
                } else {
                    row.sweep::<N, F>(&self.body, *inner)
                }
            };
        };
        let mut rows = plan.rows();
        while rows.left > 0 {
            // SAFETY: `Job` checked that every index the plan reaches lies inside its operand, and that results
            // lie in order; `offset + (0..inner) * step` are such indices.
            unsafe {
                for i in 0..I {
                    row.steps.0[i] = plan.operands[i].step;
                    row.inputs[i] = skip(inputs[i], rows.offsets[i]);
                }
                for c in 0..C {
                    row.steps.1[c] = plan.operands[I + c].step;
                    row.cotangents[c] = skip(cotangents[c], rows.offsets[I + c]);
                }
                for o in 0..O {
                    row.results[o] = skip_mut(results[o], rows.offsets[I + C + o]);
                }
                row.sweep::<N, F>(&self.body, *inner);
            }
            rows.advance();
        }
    }
}

impl<T, F, const I: usize, const C: usize, const O: usize> Sweep<'_, '_, T, F, I, C, O>
where
    T: Element,
    F: Body<I, C, O>,
{
    /// The body over operands that all lie in order and end with a whole vector.
    ///
    /// # Safety
    /// That they do.
    #[inline(always)]
    unsafe fn in_place<N: Lane<T>>(&self) {
        let job = self.job;
        let mut j = 0;
        while j < job.inner {
            let mut inputs = [std::ptr::null(); I];
            let mut cotangents = [std::ptr::null(); C];
            let mut results = [std::ptr::null_mut(); O];
            // SAFETY: the caller vouches for memory up to the multiple of `TAIL` behind `inner`.
            unsafe {
                for i in 0..I {
                    inputs[i] = job.inputs[i].start.add(j);
                }
                for c in 0..C {
                    cotangents[c] = job.cotangents[c].start.add(j);
                }
                for o in 0..O {
                    if !job.results[o].start.is_null() {
                        results[o] = job.results[o].start.add(j);
                    }
                }
                if job.inner - j >= BLOCK {
                    block::<T, N, F, BLOCK, I, C, O>(&self.body, inputs, cotangents, results, BLOCK);
                    j += BLOCK;
                } else {
                    block::<T, N, F, TAIL, I, C, O>(&self.body, inputs, cotangents, results, TAIL);
                    j += TAIL;
                }
            }
        }
    }
}

/// The operand from its element `offset` on.
///
/// # Safety
/// It has that many elements.
#[inline(always)]
unsafe fn skip<T>(operand: Span<*const T>, offset: usize) -> Span<*const T> {
    // SAFETY: the caller vouches for it.
    Span { start: unsafe { operand.start.add(offset) }, len: operand.len - offset }
}

/// [`skip`] for a result, if it is wanted.
///
/// # Safety
/// It has that many elements.
#[inline(always)]
unsafe fn skip_mut<T>(result: Span<*mut T>, offset: usize) -> Span<*mut T> {
    if result.start.is_null() {
        return result;
    }
    // SAFETY: the caller vouches for it.
    Span { start: unsafe { result.start.add(offset) }, len: result.len - offset }
}

/// One inner loop: where each operand starts and how far its elements are apart.
struct Row<T, const I: usize, const C: usize, const O: usize> {
    steps: ([usize; I], [usize; C]),
    inputs: [Span<*const T>; I],
    cotangents: [Span<*const T>; C],
    results: [Span<*mut T>; O],
}

impl<T: Element, const I: usize, const C: usize, const O: usize> Row<T, I, C, O> {
    /// The body over `len` elements, block by block.
    ///
    /// # Safety
    /// Each operand is valid for `len` elements, its step apart, and in order for as many as its span says;
    /// results lie in order, or are null.
    #[inline(always)]
    unsafe fn sweep<N: Lane<T>, F: Body<I, C, O>>(&self, body: &F, len: usize) {
        let mut scratch_i = [[const { MaybeUninit::<T>::uninit() }; BLOCK]; I];
        let mut scratch_c = [[const { MaybeUninit::<T>::uninit() }; BLOCK]; C];
        let mut j = 0;
        while j < len {
            let wide = len - j >= BLOCK;
            let width = if wide { BLOCK } else { TAIL };
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
                    results[o] = skip_mut(self.results[o], j).start;
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

impl<T, const I: usize, const O: usize> Forward<'_, T, I, O>
where
    T: Element + Lane<T>,
    Fused<T>: Lane<T>,
{
    /// Results: the formula's outputs.
    pub fn forward<P: Pointwise<I, O>>(&self, formula: &P) {
        dispatch(Sweep { body: Value(formula), job: self });
    }
}

impl<T, const I: usize, const O: usize> Backward<'_, T, I, O>
where
    T: Element + Lane<T>,
    Fused<T>: Lane<T>,
{
    /// Results: the cotangents of the inputs, from inputs and the cotangents of the outputs.
    pub fn backward<P: Pointwise<I, O>>(&self, formula: &P) {
        dispatch(Sweep { body: Pullback(formula), job: self });
    }
}
