//! A pointwise formula over strided operands, compiled for each instruction set.
//!
//! The formula runs over blocks of fixed length that the compiler turns into vectors. An operand that lies in
//! order is read where it is; one that is broadcast, strided or cut off by the end of a row goes through a
//! block of scratch, so that one loop serves all layouts.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

mod block;
mod row;

use std::ops::Range;

pub(super) use block::TAIL;
use block::{BLOCK, block};
use row::Row;

pub(crate) use super::job::Target;
pub use super::job::{Backward, Forward, Job};
use super::level::{Kernel, dispatch};
use super::plan::Plan;
use super::team;
use crate::element::Element;
use crate::pointwise::{Pointwise, vjp};
use crate::real::{Fused, Lane, Real};

/// How many numbers go in or out in a nanosecond, a cautious guess.
const OPERANDS: usize = 4;

/// What a block is put through: the formula itself, or its derivative.
trait Body<const I: usize, const C: usize, const O: usize>: Sync {
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

/// A body over a part of a job: some of the plan's rows, or, without a plan, some of the elements.
struct Sweep<'j, 'a, T, F, const I: usize, const C: usize, const O: usize> {
    body: &'j F,
    job: &'j Job<'a, T, I, C, O>,
    part: Range<usize>,
}

impl<T, F, const I: usize, const C: usize, const O: usize> Kernel<T> for Sweep<'_, '_, T, F, I, C, O>
where
    T: Element,
    F: Body<I, C, O>,
{
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        match self.job.plan {
            // SAFETY: `Job` checked that each operand has `inner` elements in order, and the part lies inside.
            None => unsafe {
                if self.job.whole_vectors {
                    self.in_place::<N>()
                } else {
                    self.row_at(self.part.start).sweep::<N, F>(self.body, self.part.len())
                }
            },
            Some(plan) => self.planned::<N>(plan),
        }
    }
}

impl<T, F, const I: usize, const C: usize, const O: usize> Sweep<'_, '_, T, F, I, C, O>
where
    T: Element,
    F: Body<I, C, O>,
{
    /// The operands in order from element `j` on.
    ///
    /// # Safety
    /// They have that many.
    #[inline(always)]
    unsafe fn row_at(&self, j: usize) -> Row<T, I, C, O> {
        let Job { inputs, cotangents, results, .. } = self.job;
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

    /// The body over the part's rows of a plan.
    #[inline(always)]
    fn planned<N: Lane<T>>(&self, plan: &Plan<I, C, O>) {
        let Job { inner, inputs, cotangents, results, .. } = self.job;
        // SAFETY: `Job` checked that each operand has a first element where the plan has any.
        let mut row = unsafe { self.row_at(0) };
        row.steps = (plan.steps.inputs, plan.steps.cotangents);
        let mut rows = plan.part(&self.part);
        while rows.any_left() {
            // SAFETY: `Job` checked that every index the plan reaches lies inside its operand, and that results
            // lie in order; `offset + (0..inner) * step` are such indices.
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
                row.sweep::<N, F>(self.body, *inner);
            }
            rows.advance();
        }
    }

    /// The body over operands that all lie in order and end with a whole vector.
    ///
    /// # Safety
    /// That they do.
    #[inline(always)]
    unsafe fn in_place<N: Lane<T>>(&self) {
        let job = self.job;
        let mut j = self.part.start;
        while j < self.part.end {
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
                if self.part.end - j >= BLOCK {
                    block::<T, N, F, BLOCK, I, C, O>(self.body, inputs, cotangents, results, BLOCK);
                    j += BLOCK;
                } else {
                    block::<T, N, F, TAIL, I, C, O>(self.body, inputs, cotangents, results, TAIL);
                    j += TAIL;
                }
            }
        }
    }
}

impl<T, const I: usize, const C: usize, const O: usize> Job<'_, T, I, C, O>
where
    T: Element + Lane<T>,
    Fused<T>: Lane<T>,
{
    /// The body over the whole job, by the team if it is long.
    fn sweep<F: Body<I, C, O>>(&self, body: &F) {
        let run = self.begin();
        // Without a plan a part is of whole blocks, so that all but the last end with a whole vector.
        let (total, unit, each) = match self.plan {
            Some(plan) => (plan.count(), 1, self.inner),
            None => (self.inner, BLOCK, 1),
        };
        let worth = team::parts(total.saturating_mul(each).saturating_mul(I + C + O) / OPERANDS);
        if worth <= 1 {
            return dispatch(Sweep { body, job: self, part: 0..total });
        }
        let units = total.div_ceil(unit);
        let parts = worth.min(units);
        team::share(parts, |part| {
            let units = team::range(part, parts, units);
            let part = units.start * unit..total.min(units.end * unit);
            dispatch(Sweep { body, job: run.job(), part });
        });
    }
}

impl<T, const I: usize, const O: usize> Forward<'_, T, I, O>
where
    T: Element + Lane<T>,
    Fused<T>: Lane<T>,
{
    /// Results: the formula's outputs.
    ///
    /// # Panics
    /// If the job has run before.
    pub fn forward<P: Pointwise<I, O>>(&self, formula: &P) {
        self.sweep(&Value(formula));
    }
}

impl<T, const I: usize, const O: usize> Backward<'_, T, I, O>
where
    T: Element + Lane<T>,
    Fused<T>: Lane<T>,
{
    /// Results: the cotangents of the inputs, from inputs and the cotangents of the outputs.
    ///
    /// # Panics
    /// If the job has run before.
    pub fn backward<P: Pointwise<I, O>>(&self, formula: &P) {
        self.sweep(&Pullback(formula));
    }
}

#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    #[derive(Clone)]
    struct MulAdd;
    impl Pointwise<3, 1> for MulAdd {
        const NAME: &'static str = "MulAdd";
        #[inline(always)]
        fn eval<R: Real>(&self, [a, b, c]: [R; 3]) -> [R; 1] {
            [a * b + c]
        }
    }

    /// Whole numbers, whose products and sums are exact in every order.
    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7 + seed * 13) % 11) as f32 - 5.0).collect()
    }

    /// Lengths around blocks and vectors, with and without memory behind the last element.
    #[test]
    fn operands_in_order() {
        for len in [0usize, 1, 15, 16, 17, 63, 64, 65, 81] {
            for room in [len, len.next_multiple_of(TAIL)] {
                let [a, b, c] = [1, 2, 3].map(|seed| numbers(room, seed));
                let mut out = vec![0.0; room];
                Job::in_order(len, [&a[..], &b, &c], [], [Some((&mut out[..]).into())]).forward(&MulAdd);
                for i in 0..len {
                    assert_eq!(out[i], a[i] * b[i] + c[i], "element {i} of {len}");
                }
            }
        }
    }

    #[test]
    fn operands_with_strides_and_repeated_ones() {
        let (rows, columns) = (3, 18);
        let a = numbers(rows * columns, 1);
        let transposed = numbers(rows * columns, 2);
        let row = numbers(columns, 3);
        let strides = [[columns, 1], [1, rows], [0, 1], [columns, 1]];
        let plan = Plan::new(&[rows, columns], &strides);
        let mut out = vec![0.0; rows * columns];
        Job::planned(&plan, [&a[..], &transposed, &row], [], [Some((&mut out[..]).into())]).forward(&MulAdd);
        for (r, c) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
            let at = r * columns + c;
            assert_eq!(out[at], a[at] * transposed[c * rows + r] + row[c], "row {r}, column {c}");
        }
    }

    #[test]
    fn parts_make_the_whole() {
        let (rows, columns) = (7, 200);
        let len = rows * columns;
        let [a, b, row] = [1, 2, 3].map(|seed| numbers(len, seed));
        let strides = [[columns, 1], [columns, 1], [0, 1], [columns, 1]];
        let plan = Plan::new(&[rows, columns], &strides);
        let (mut in_order, mut planned) = (vec![0.0; len], vec![0.0; len]);
        let job = Job::in_order(len, [&a[..], &b, &b], [], [Some((&mut in_order[..]).into())]);
        for part in [0..64, 64..640, 640..len] {
            dispatch(Sweep { body: &Value(&MulAdd), job: &job, part });
        }
        let job = Job::planned(&plan, [&a[..], &b, &row], [], [Some((&mut planned[..]).into())]);
        for part in [0..1, 1..5, 5..rows] {
            dispatch(Sweep { body: &Value(&MulAdd), job: &job, part });
        }
        for i in 0..len {
            assert_eq!(in_order[i], a[i] * b[i] + b[i], "in order, element {i}");
            assert_eq!(planned[i], a[i] * b[i] + row[i % columns], "planned, element {i}");
        }
    }

    #[test]
    fn a_pullback_writes_what_is_wanted_alone() {
        let len = 21;
        let [a, b, c, g] = [1, 2, 3, 4].map(|seed| numbers(len, seed));
        let (mut of_a, mut of_c) = (vec![0.0; len], vec![0.0; len]);
        Job::in_order(
            len,
            [&a[..], &b, &c],
            [&g[..]],
            [Some((&mut of_a[..]).into()), None, Some((&mut of_c[..]).into())],
        )
        .backward(&MulAdd);
        assert!((0..len).all(|i| of_a[i] == g[i] * b[i] && of_c[i] == g[i]));
    }

    /// Lengths around blocks and vectors, of tensors with and without memory behind the last element.
    #[test]
    fn a_result_goes_over_the_cotangent_that_it_comes_from() {
        for len in [1, 16, 21, 64, 81] {
            let [a, b, c, g] = [1, 2, 3, 4].map(|seed| numbers(len, seed));
            for cotangent in [Tensor::from(g.clone()), Tensor::from(g.clone()).copy()] {
                let mut of_c = vec![0.0; len];
                let results = [Some(Target::over(&cotangent)), None, Some((&mut of_c[..]).into())];
                Job::in_order(len, [&a[..], &b, &c], [cotangent.room()], results).backward(&MulAdd);
                let of_a = cotangent.as_slice().unwrap();
                assert!((0..len).all(|i| of_a[i] == g[i] * b[i] && of_c[i] == g[i]), "{len} elements");
            }
        }
    }

    /// A second run would read cotangents that the first one wrote over.
    #[test]
    #[should_panic(expected = "a formula's job runs once")]
    fn a_job_runs_once() {
        let (a, mut out) = ([1.0f32; 8], [0.0; 8]);
        let job = Job::in_order(8, [&a[..], &a, &a], [], [Some((&mut out[..]).into())]);
        job.forward(&MulAdd);
        job.forward(&MulAdd);
    }

    #[test]
    #[should_panic(expected = "input 1 is too short")]
    fn operands_must_fit() {
        let (long, short, mut out) = ([0.0f32; 8], [0.0; 7], [0.0; 8]);
        Job::in_order(8, [&long[..], &short, &long], [], [Some((&mut out[..]).into())]).forward(&MulAdd);
    }
}
