//! A body over a part of a job: some of the plan's rows, or, without a plan, some of the elements.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

use std::ops::Range;

use super::block::BLOCK;
use super::job::{Job, Run};
use super::row::Row;
use super::{InOrder, TAIL, is_short};
use crate::formula::plan::{Each, Plan};
use crate::number::Number;
use crate::run::team;

impl<T: Number, const I: usize, const C: usize, const O: usize> Run<'_, '_, T, I, C, O> {
    /// The body over the whole job in so many parts, or fewer.
    pub(super) fn shared(&self, body: &dyn InOrder<T, I, C, O>, worth: usize) {
        let job = self.job();
        // Without a plan a part is of whole blocks, so that all but the last end with a whole vector.
        let (total, unit) = match job.plan {
            Some(plan) => (plan.count(), 1),
            None => (job.inner, BLOCK),
        };
        if worth <= 1 {
            return job.part(body, 0..total);
        }
        let units = total.div_ceil(unit);
        let parts = worth.min(units);
        team::share(parts, |part| {
            let units = team::range(part, parts, units);
            self.job().part(body, units.start * unit..total.min(units.end * unit));
        });
    }
}

impl<T: Number, const I: usize, const C: usize, const O: usize> Job<'_, T, I, C, O> {
    /// How many numbers go in and out.
    #[inline]
    pub(super) fn operands(&self) -> usize {
        let rows = self.plan.map_or(1, Plan::count);
        rows.saturating_mul(self.inner).saturating_mul(I + C + O)
    }

    pub(super) fn part(&self, body: &dyn InOrder<T, I, C, O>, part: Range<usize>) {
        match self.plan {
            // SAFETY: `Job` checked that each operand has `inner` elements in order, and the part lies
            // inside.
            None => unsafe {
                if self.whole_vectors {
                    self.in_place(body, part);
                } else {
                    self.row_at(part.start).sweep(body, part.len(), 1, &Each::ZERO);
                }
            },
            Some(plan) => self.rows(body, plan, &part),
        }
    }

    /// The body over operands that all lie in order and end with a whole vector, which is written to its
    /// end.
    ///
    /// # Safety
    /// That they do, and the part begins with a whole vector.
    #[inline]
    pub(super) unsafe fn in_place<F: InOrder<T, I, C, O> + ?Sized>(&self, body: &F, part: Range<usize>) {
        // SAFETY: the caller vouches for memory up to the multiple of `TAIL` behind `inner`.
        unsafe {
            let len = part.len().next_multiple_of(TAIL);
            // The operands are put together once for each: what two calls see lies in memory, and copying it
            // from there right after it was written takes longer than all the rest.
            if is_short(len) {
                body.run_short(&self.row_at(part.start).start(), len, 1, const { &Each::ZERO });
            } else {
                body.run_blocks(&self.row_at(part.start).start(), len);
            }
        }
    }

    /// The operands in order from element `j` on.
    ///
    /// # Safety
    /// They have that many.
    #[inline]
    unsafe fn row_at(&self, j: usize) -> Row<T, I, C, O> {
        let Job { inputs, cotangents, results, .. } = self;
        let mut row =
            Row { steps: ([1; I], [1; C]), inputs: *inputs, cotangents: *cotangents, results: *results };
        // SAFETY: the caller vouches for it.
        unsafe {
            for i in 0..I {
                row.inputs[i] = inputs[i].skip(j);
            }
            for c in 0..C {
                row.cotangents[c] = cotangents[c].skip(j);
            }
            for o in 0..O {
                row.results[o] = results[o].skip(j);
            }
        }
        row
    }

    /// The body over some rows of a plan.
    fn rows(&self, body: &dyn InOrder<T, I, C, O>, plan: &Plan<I, C, O>, part: &Range<usize>) {
        let Job { inner, inputs, cotangents, results, .. } = self;
        // SAFETY: `Job` checked that each operand has a first element where the plan has any.
        let mut row = unsafe { self.row_at(0) };
        row.steps = (plan.steps.inputs, plan.steps.cotangents);
        let mut rows = plan.part(part);
        while rows.any_left() {
            // SAFETY: `Job` checked that every index the plan reaches lies inside its operand, and that
            // results lie in order; `offset + (0..inner) * step` are such indices.
            unsafe {
                for i in 0..I {
                    row.inputs[i] = inputs[i].skip(rows.offsets.inputs[i]);
                }
                for c in 0..C {
                    row.cotangents[c] = cotangents[c].skip(rows.offsets.cotangents[c]);
                }
                for o in 0..O {
                    row.results[o] = results[o].skip(rows.offsets.results[o]);
                }
                row.sweep(body, *inner, rows.below(), &plan.strides);
            }
            rows.advance();
        }
    }
}
