//! What a pointwise kernel runs over.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

use std::cell::Cell;
use std::marker::PhantomData;

use crate::formula::TAIL;
use crate::formula::plan::Plan;
use crate::memory::dims::{Dims, MOST_ELEMENTS};
use crate::memory::view::{InOut, Target, View};
use crate::number::Number;

/// Operands and results of one run of a formula, bounds checked.
///
/// Behind the last element of an operand there may be others that can be read: what lies there is computed
/// with and thrown away, and behind the end of a result it is overwritten, so that whole vectors can be
/// moved.
///
/// A formula's own code gets to see it, which may not do more with it than run it once, on the thread it is
/// on: a run writes the results, and perhaps over an operand.
pub struct Job<'a, T, const I: usize, const C: usize, const O: usize> {
    /// The loops; none for a single one over operands that all lie in order.
    pub(crate) plan: Option<&'a Plan<I, C, O>>,
    pub(crate) inner: usize,
    /// Whether there is no plan and every operand has memory up to the end of its last vector.
    pub(crate) whole_vectors: bool,
    pub(crate) inputs: [Span<*const T>; I],
    pub(crate) cotangents: [Span<*const T>; C],
    /// Null for a result not wanted.
    pub(crate) results: [Span<*mut T>; O],
    /// Whether it was begun.
    begun: Cell<bool>,
    owner: PhantomData<&'a mut [T]>,
}

/// A job at its only run, which threads share.
pub(crate) struct Run<'j, 'a, T, const I: usize, const C: usize, const O: usize>(&'j Job<'a, T, I, C, O>);

// SAFETY: the operands are borrowed for as long as the job lives, there is one run, and the kernels that
// share it write different parts of the results. None looks at the cell.
unsafe impl<T: Number, const I: usize, const C: usize, const O: usize> Sync for Run<'_, '_, T, I, C, O> {}

impl<'j, 'a, T, const I: usize, const C: usize, const O: usize> Run<'j, 'a, T, I, C, O> {
    pub(crate) fn job(&self) -> &'j Job<'a, T, I, C, O> {
        self.0
    }
}

/// A run that computes a formula's outputs.
pub type ForwardJob<'a, T, const I: usize, const O: usize> = Job<'a, T, I, 0, O>;

/// A run that computes the cotangents of a formula's inputs.
pub type BackwardJob<'a, T, const I: usize, const O: usize> = Job<'a, T, I, O, I>;

/// The start of an operand and how many elements can be read, or written, from there on.
#[derive(Clone, Copy)]
pub struct Span<P> {
    pub(crate) start: P,
    pub(crate) len: usize,
}

impl<P> Span<P> {
    /// Whether `width` elements from `j` on are certainly there.
    #[inline(always)]
    pub(crate) fn has(&self, j: usize, width: usize) -> bool {
        j + width <= self.len
    }
}

impl<T> Span<*const T> {
    /// The operand from its element `offset` on.
    ///
    /// # Safety
    /// It has that many elements.
    #[inline(always)]
    pub(crate) unsafe fn skip(self, offset: usize) -> Self {
        // SAFETY: the caller vouches for it.
        Span { start: unsafe { self.start.add(offset) }, len: self.len.saturating_sub(offset) }
    }
}

impl<T> Span<*mut T> {
    /// The result from its element `offset` on, if it is wanted.
    ///
    /// # Safety
    /// Then it has that many elements.
    #[inline(always)]
    pub(crate) unsafe fn skip(self, offset: usize) -> Self {
        if self.start.is_null() {
            return self;
        }
        // SAFETY: the caller vouches for it.
        Span { start: unsafe { self.start.add(offset) }, len: self.len.saturating_sub(offset) }
    }
}

impl<'a, T: Number, const I: usize, const C: usize, const O: usize> Job<'a, T, I, C, O> {
    /// A run over `len` elements of operands that all lie in order. `over` says which result goes over the
    /// operands that are none: each of its elements is written after all was read that it is computed
    /// from.
    ///
    /// # Panics
    /// If an operand is shorter.
    #[inline(always)]
    pub fn in_order(
        len: usize,
        inputs: [Option<View<'a, T>>; I],
        cotangents: [Option<View<'a, T>>; C],
        results: [Option<Target<'a, T>>; O],
        over: Option<(usize, InOut<'a, T>)>,
    ) -> Self {
        let (mut written_over, mut place) = (Span { start: std::ptr::null(), len: 0 }, None);
        if let Some((result, in_out)) = over {
            let (start, len) = in_out.into_parts();
            written_over = Span { start: start.cast_const(), len };
            place = Some((result, Span { start, len }));
        }
        let span = |view: &Option<View<'a, T>>| match view {
            Some(view) => Span { start: view.start(), len: view.readable() },
            None => written_over,
        };
        let mut job = Job::idle(None, len);
        for i in 0..I {
            job.inputs[i] = span(&inputs[i]);
        }
        for c in 0..C {
            job.cotangents[c] = span(&cotangents[c]);
        }
        for o in 0..O {
            if let Some(target) = &results[o] {
                job.results[o] = Span { start: target.start(), len: target.writable() };
            }
        }
        if let Some((result, span)) = place {
            job.results[result] = span;
        }
        job.whole_vectors = job.has_whole_vectors();
        if !job.whole_vectors {
            job.check(len);
        }
        job
    }

    /// Runs `kernel` over operands that broadcast to `shape`, and results that have it.
    ///
    /// # Panics
    /// If they don't, or the rows of a result don't lie in order.
    #[inline]
    pub fn planned<R>(
        shape: &Dims,
        inputs: [View<'_, T>; I],
        cotangents: [View<'_, T>; C],
        results: [Option<Target<'_, T>>; O],
        kernel: impl FnOnce(&Job<'_, T, I, C, O>) -> R,
    ) -> R {
        let plan = Plan::over(shape, &inputs, &cotangents, &results);
        for o in 0..O {
            let in_order = plan.inner == 1 || plan.steps.results[o] == 1 || results[o].is_none();
            assert!(in_order, "the rows of result {o} must lie in order");
        }
        assert!(plan.inner <= MOST_ELEMENTS, "a row has {} elements", plan.inner);
        let mut job = Job::idle(Some(&plan), plan.inner);
        for i in 0..I {
            job.inputs[i] = Span { start: inputs[i].start(), len: inputs[i].readable() };
        }
        for c in 0..C {
            job.cotangents[c] = Span { start: cotangents[c].start(), len: cotangents[c].readable() };
        }
        for o in 0..O {
            if let Some(target) = &results[o] {
                job.results[o] = Span { start: target.start(), len: target.writable() };
            }
        }
        kernel(&job)
    }

    /// Without operands.
    #[inline(always)]
    fn idle(plan: Option<&'a Plan<I, C, O>>, inner: usize) -> Self {
        let nothing = Span { start: std::ptr::null(), len: 0 };
        Job {
            plan,
            inner,
            whole_vectors: false,
            inputs: [nothing; I],
            cotangents: [nothing; C],
            results: [Span { start: std::ptr::null_mut(), len: 0 }; O],
            begun: Cell::new(false),
            owner: PhantomData,
        }
    }

    /// The only run.
    ///
    /// # Panics
    /// At the second time.
    #[inline(always)]
    pub(crate) fn begin(&self) -> Run<'_, 'a, T, I, C, O> {
        assert!(!self.begun.replace(true), "a formula's job runs once");
        Run(self)
    }

    /// Whether every operand has memory up to the end of its last vector, and so more than enough.
    #[inline(always)]
    fn has_whole_vectors(&self) -> bool {
        let Some(end) = self.inner.checked_next_multiple_of(TAIL) else { return false };
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

    /// Checks that each operand has so many elements.
    #[inline]
    fn check(&self, len: usize) {
        for i in 0..I {
            assert!(self.inputs[i].len >= len, "input {i} is too short");
        }
        for c in 0..C {
            assert!(self.cotangents[c].len >= len, "cotangent {c} is too short");
        }
        for o in 0..O {
            let wanted = !self.results[o].start.is_null();
            assert!(!wanted || self.results[o].len >= len, "result {o} is too short");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has the constant `YES` in one way, or, for what can be shared, in two: then to ask for it does not
    /// compile.
    trait IsForOneThread<Way> {
        const YES: bool = true;
    }
    impl<J> IsForOneThread<()> for J {}
    impl<J: Sync> IsForOneThread<u8> for J {}
    impl<J: Send> IsForOneThread<u16> for J {}

    #[test]
    fn a_job_is_for_one_thread() {
        const { assert!(<ForwardJob<'_, f32, 1, 1> as IsForOneThread<_>>::YES) };
        const { assert!(<BackwardJob<'_, f64, 2, 1> as IsForOneThread<_>>::YES) };
    }
}
