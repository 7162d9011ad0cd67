//! What a pointwise kernel runs over.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

use std::cell::Cell;
use std::marker::PhantomData;

use super::plan::{Each, Plan};
use super::pointwise::TAIL;
use crate::dims::MOST;
use crate::element::Element;

/// Operands and results of one run of a formula, bounds checked.
///
/// A slice begins at its operand's first element and may go on behind the last: what lies there is computed with
/// and thrown away, and behind the end of a result it is overwritten, so that whole vectors can be moved.
///
/// A formula's own code gets to see it, which may not do more with it than run it once, on the thread it is on: a run writes the results, and
/// perhaps over an operand.
pub struct Job<'a, T, const I: usize, const C: usize, const O: usize> {
    /// The loops; none for a single one over operands that all lie in order.
    pub(in crate::kernel) plan: Option<&'a Plan<I, C, O>>,
    pub(in crate::kernel) inner: usize,
    /// Whether there is no plan and every operand has memory up to the end of its last vector.
    pub(in crate::kernel) whole_vectors: bool,
    pub(in crate::kernel) inputs: [Span<*const T>; I],
    pub(in crate::kernel) cotangents: [Span<*const T>; C],
    /// Null for a result not wanted.
    pub(in crate::kernel) results: [Span<*mut T>; O],
    /// Whether it was begun.
    begun: Cell<bool>,
    owner: PhantomData<&'a mut [T]>,
}

/// A job at its only run, which threads share.
pub(in crate::kernel) struct Run<'j, 'a, T, const I: usize, const C: usize, const O: usize>(
    &'j Job<'a, T, I, C, O>,
);

// SAFETY: the operands are borrowed for as long as the job lives, there is one run, and the kernels that share it write different parts of
// the results. None looks at the cell.
unsafe impl<T: Element, const I: usize, const C: usize, const O: usize> Sync for Run<'_, '_, T, I, C, O> {}

impl<'j, 'a, T, const I: usize, const C: usize, const O: usize> Run<'j, 'a, T, I, C, O> {
    pub(in crate::kernel) fn job(&self) -> &'j Job<'a, T, I, C, O> {
        self.0
    }
}

/// What computes a formula's outputs.
pub type Forward<'a, T, const I: usize, const O: usize> = Job<'a, T, I, 0, O>;

/// What computes the cotangents of a formula's inputs.
pub type Backward<'a, T, const I: usize, const O: usize> = Job<'a, T, I, O, I>;

/// Where an operand starts and how many elements its memory has from there on.
#[derive(Clone, Copy)]
pub(crate) struct Span<P> {
    pub(in crate::kernel) start: P,
    pub(in crate::kernel) len: usize,
}

/// Where a kernel writes: elements that are borrowed or claimed.
pub(crate) struct Target<'a, T> {
    span: Span<*mut T>,
    owner: PhantomData<&'a mut [T]>,
}

impl<'a, T> Target<'a, T> {
    /// Elements that the holder of a claim alone may write, and nobody reads meanwhile.
    pub(super) fn at(span: Span<*mut T>) -> Self {
        Target { span, owner: PhantomData }
    }
}

impl<'a, T> From<&'a mut [T]> for Target<'a, T> {
    #[inline]
    fn from(slice: &'a mut [T]) -> Self {
        Target { span: Span { start: slice.as_mut_ptr(), len: slice.len() }, owner: PhantomData }
    }
}

impl<P> Span<P> {
    /// Whether `width` elements from `j` on are there.
    #[inline(always)]
    pub(in crate::kernel) fn has(&self, j: usize, width: usize) -> bool {
        j + width <= self.len
    }
}

impl<T> Span<*const T> {
    /// The operand from its element `offset` on.
    ///
    /// # Safety
    /// It has that many elements.
    #[inline(always)]
    pub(in crate::kernel) unsafe fn skip(self, offset: usize) -> Self {
        // SAFETY: the caller vouches for it.
        Span { start: unsafe { self.start.add(offset) }, len: self.len - offset }
    }
}

impl<T> Span<*mut T> {
    /// The result from its element `offset` on, if it is wanted.
    ///
    /// # Safety
    /// Then it has that many elements.
    #[inline(always)]
    pub(in crate::kernel) unsafe fn skip(self, offset: usize) -> Self {
        if self.start.is_null() {
            return self;
        }
        // SAFETY: the caller vouches for it.
        Span { start: unsafe { self.start.add(offset) }, len: self.len - offset }
    }
}

impl<'a, T: Element, const I: usize, const C: usize, const O: usize> Job<'a, T, I, C, O> {
    /// A run over `len` elements of operands that all lie in order.
    ///
    /// # Panics
    /// If an operand is shorter.
    #[inline(always)]
    pub(crate) fn in_order(
        len: usize,
        inputs: [&'a [T]; I],
        cotangents: [&'a [T]; C],
        results: [Option<Target<'a, T>>; O],
    ) -> Self {
        let mut job = Job::unchecked(None, len, inputs, cotangents, results);
        job.whole_vectors = job.has_whole_vectors();
        if !job.whole_vectors && len > 0 {
            job.check(&Each { inputs: [len - 1; I], cotangents: [len - 1; C], results: [len - 1; O] });
        }
        job
    }

    /// A run over a plan, whose operands are the inputs, the cotangents and the results.
    ///
    /// # Panics
    /// If an operand is shorter than the plan reaches, or the rows of a result don't lie in order.
    pub(crate) fn planned(
        plan: &'a Plan<I, C, O>,
        inputs: [&'a [T]; I],
        cotangents: [&'a [T]; C],
        results: [Option<Target<'a, T>>; O],
    ) -> Self {
        let job = Job::unchecked(Some(plan), plan.inner, inputs, cotangents, results);
        for o in 0..O {
            let in_order = plan.inner == 1 || plan.steps.results[o] == 1 || job.results[o].start.is_null();
            assert!(in_order, "the rows of result {o} must lie in order");
        }
        assert!(plan.inner <= MOST, "a row has {} elements", plan.inner);
        if let Some(last) = plan.reach() {
            job.check(&last);
        }
        job
    }

    #[inline(always)]
    fn unchecked(
        plan: Option<&'a Plan<I, C, O>>,
        inner: usize,
        inputs: [&'a [T]; I],
        cotangents: [&'a [T]; C],
        results: [Option<Target<'a, T>>; O],
    ) -> Self {
        Job {
            plan,
            inner,
            whole_vectors: false,
            inputs: inputs.map(|slice| Span { start: slice.as_ptr(), len: slice.len() }),
            cotangents: cotangents.map(|slice| Span { start: slice.as_ptr(), len: slice.len() }),
            results: results.map(|target| match target {
                Some(target) => target.span,
                None => Span { start: std::ptr::null_mut(), len: 0 },
            }),
            begun: Cell::new(false),
            owner: PhantomData,
        }
    }

    /// The only run.
    ///
    /// # Panics
    /// At the second time.
    #[inline(always)]
    pub(in crate::kernel) fn begin(&self) -> Run<'_, 'a, T, I, C, O> {
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

    /// That each operand has the element at its last index.
    #[inline]
    fn check(&self, last: &Each<I, C, O>) {
        for i in 0..I {
            assert!(last.inputs[i] < self.inputs[i].len, "input {i} is too short");
        }
        for c in 0..C {
            assert!(last.cotangents[c] < self.cotangents[c].len, "cotangent {c} is too short");
        }
        for o in 0..O {
            let wanted = !self.results[o].start.is_null();
            assert!(!wanted || last.results[o] < self.results[o].len, "result {o} is too short");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has the constant `YES` in one way, or, for what can be shared, in two: then to ask for it does not compile.
    trait IsForOneThread<Way> {
        const YES: bool = true;
    }
    impl<J> IsForOneThread<()> for J {}
    impl<J: Sync> IsForOneThread<u8> for J {}
    impl<J: Send> IsForOneThread<u16> for J {}

    #[test]
    fn a_job_is_for_one_thread() {
        const { assert!(<Forward<'_, f32, 1, 1> as IsForOneThread<_>>::YES) };
        const { assert!(<Backward<'_, f64, 2, 1> as IsForOneThread<_>>::YES) };
    }
}
