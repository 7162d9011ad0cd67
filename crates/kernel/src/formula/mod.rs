//! A pointwise formula over strided operands, compiled for each instruction set.
//!
//! The formula runs over blocks of fixed length that the compiler turns into vectors. An operand that lies
//! in order is read where it is; one that is broadcast, strided or cut off by the end of a row goes through
//! scratch, so that one loop serves all layouts, and that loop is all that is compiled for each formula.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

mod block;
mod derivative;
pub mod job;
mod part;
pub mod plan;
mod row;

pub(crate) use block::TAIL;
use block::{BLOCK, Operands, OverBlocks, OverRows};

use crate::formula::plan::Each;
use crate::number::Arithmetic;
use crate::real::Real;
use crate::run::level::{dispatch, dispatch_vectors};
use crate::run::team;
pub use derivative::{Formula, value_and_vjp, vjp};
pub use job::{BackwardJob, ForwardJob, Job};

/// How many numbers go in or out in a nanosecond, a cautious guess.
const OPERANDS: usize = 4;

/// What a block is put through: the formula itself, or its derivative.
trait Body<const I: usize, const C: usize, const O: usize>: Sync {
    fn call<R: Real>(&self, inputs: [R; I], cotangents: [R; C]) -> [R; O];
}

struct Value<'p, P>(&'p P);

impl<P: Formula<I, O>, const I: usize, const O: usize> Body<I, 0, O> for Value<'_, P> {
    #[inline(always)]
    fn call<R: Real>(&self, inputs: [R; I], _: [R; 0]) -> [R; O] {
        self.0.eval(inputs)
    }
}

struct Pullback<'p, P>(&'p P);

impl<P: Formula<I, O>, const I: usize, const O: usize> Body<I, O, I> for Pullback<'_, P> {
    #[inline(always)]
    fn call<R: Real>(&self, inputs: [R; I], cotangents: [R; O]) -> [R; I] {
        vjp(self.0, inputs, cotangents)
    }
}

/// A body compiled for numbers of one type, once for each instruction set. What runs it over rows, strides
/// and threads sees it as this, so that it is compiled once for all bodies.
trait InOrder<T, const I: usize, const C: usize, const O: usize>: Sync {
    /// The body over rows, at least one, of elements in order, fewer than [`BLOCK`]: a call for each would
    /// take as long as what it does.
    ///
    /// # Safety
    /// In each row each source is valid for reads of `len` elements rounded up to whole vectors of [`TAIL`],
    /// each result that is not null for writes of `len`.
    unsafe fn run_short(
        &self,
        start: &Operands<T, I, C, O>,
        len: usize,
        rows: usize,
        strides: &Each<I, C, O>,
    );

    /// The body over elements in order, at least [`BLOCK`].
    ///
    /// # Safety
    /// As for [`InOrder::run_short`], of one row.
    unsafe fn run_blocks(&self, start: &Operands<T, I, C, O>, len: usize);
}

/// Whether a row of so many elements is one for [`InOrder::run_short`].
#[inline]
const fn is_short(len: usize) -> bool {
    len < BLOCK
}

impl<T, F, const I: usize, const C: usize, const O: usize> InOrder<T, I, C, O> for F
where
    T: Arithmetic,
    F: Body<I, C, O>,
{
    #[inline]
    unsafe fn run_short(
        &self,
        start: &Operands<T, I, C, O>,
        len: usize,
        rows: usize,
        strides: &Each<I, C, O>,
    ) {
        dispatch(OverRows { body: self, start: *start, len, rows, strides });
    }

    unsafe fn run_blocks(&self, start: &Operands<T, I, C, O>, len: usize) {
        // On the portable level longer blocks gain little, and would be as much to compile as all the rest.
        let count = len / BLOCK;
        let done = dispatch_vectors(OverBlocks { body: self, start: *start, count });
        let (mut start, whole) = (*start, done.map_or(0, |()| count * BLOCK));
        if whole < len {
            // SAFETY: the caller vouches for `len` elements, of which `whole` are no more.
            unsafe {
                start.skip(whole);
                self.run_short(&start, len - whole, 1, const { &Each::ZERO });
            }
        }
    }
}

impl<T, const I: usize, const C: usize, const O: usize> Job<'_, T, I, C, O>
where
    T: Arithmetic,
{
    /// The body over the whole job, by the team if it is long.
    #[inline]
    fn sweep<F: Body<I, C, O>>(&self, body: &F) {
        let run = self.begin();
        let worth = team::parts_worth(self.operands() / OPERANDS);
        if worth <= 1 && self.whole_vectors {
            // SAFETY: the job has seen that each operand ends with a whole vector.
            return unsafe { self.in_place(body, 0..self.inner) };
        }
        run.shared(body, worth);
    }
}

impl<T, const I: usize, const O: usize> ForwardJob<'_, T, I, O>
where
    T: Arithmetic,
{
    /// Computes the results: the formula's outputs.
    ///
    /// # Panics
    /// If the job has run before.
    pub fn forward<P: Formula<I, O>>(&self, formula: &P) {
        self.sweep(&Value(formula));
    }
}

impl<T, const I: usize, const O: usize> BackwardJob<'_, T, I, O>
where
    T: Arithmetic,
{
    /// Computes the results: the cotangents of the inputs, from inputs and the cotangents of the outputs.
    ///
    /// # Panics
    /// If the job has run before.
    pub fn backward<P: Formula<I, O>>(&self, formula: &P) {
        self.sweep(&Pullback(formula));
    }
}

#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::dims::Dims;
    use crate::memory::layout::Layout;
    use crate::memory::view::{InOut, Target, View};

    #[derive(Clone)]
    pub(super) struct MulAdd;
    impl Formula<3, 1> for MulAdd {
        #[inline(always)]
        fn eval<R: Real>(&self, [a, b, c]: [R; 3]) -> [R; 1] {
            [a * b + c]
        }
    }

    /// Where elements of a shape lie.
    pub(super) fn lying(shape: &[usize], strides: &[usize]) -> Layout {
        Layout::new(0, shape.into(), strides.into())
    }

    /// A job over elements in order.
    pub(super) fn in_order<'a, const I: usize, const C: usize, const O: usize>(
        len: usize,
        layout: &'a Layout,
        inputs: [&'a [f32]; I],
        cotangents: [&'a [f32]; C],
        results: [Option<&'a mut [f32]>; O],
    ) -> Job<'a, f32, I, C, O> {
        let view = |slice| Some(View::of(slice, layout));
        Job::in_order(
            len,
            inputs.map(view),
            cotangents.map(view),
            results.map(|slice| slice.map(Target::from)),
            None,
        )
    }

    /// Whole numbers, whose products and sums are exact in every order.
    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7 + seed * 13) % 11) as f32 - 5.0).collect()
    }

    /// Lengths around blocks and vectors, with and without memory behind the last element.
    #[test]
    fn operands_in_order() {
        let one = lying(&[], &[]);
        for len in [0usize, 1, 15, 16, 17, 63, 64, 65, 81] {
            for room in [len, len.next_multiple_of(TAIL)] {
                let [a, b, c] = [1, 2, 3].map(|seed| numbers(room.max(1), seed));
                let mut out = vec![0.0; room];
                in_order(len, &one, [&a[..], &b, &c], [], [Some(&mut out[..])]).forward(&MulAdd);
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
        let shape = [rows, columns];
        let [in_rows, across] = [[columns, 1], [1, rows]].map(|strides| lying(&shape, &strides));
        let repeated = lying(&[columns], &[1]);
        let mut out = vec![0.0; rows * columns];
        let operands = [View::of(&a, &in_rows), View::of(&transposed, &across), View::of(&row, &repeated)];
        let target = Some(Target::of(&mut out, &in_rows));
        Job::planned(&Dims::from(&shape[..]), operands, [], [target], |job| job.forward(&MulAdd));
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
        let (whole, repeated) = (lying(&[rows, columns], &[columns, 1]), lying(&[columns], &[1]));
        let (mut straight, mut planned) = (vec![0.0; len], vec![0.0; len]);
        let job = in_order(len, &whole, [&a[..], &b, &b], [], [Some(&mut straight[..])]);
        for part in [0..64, 64..640, 640..len] {
            job.part(&Value(&MulAdd), part);
        }
        let operands = [View::of(&a, &whole), View::of(&b, &whole), View::of(&row, &repeated)];
        let target = Some(Target::of(&mut planned, &whole));
        Job::planned(whole.shape(), operands, [], [target], |job| {
            for part in [0..1, 1..5, 5..rows] {
                job.part(&Value(&MulAdd), part);
            }
        });
        for i in 0..len {
            assert_eq!(straight[i], a[i] * b[i] + b[i], "in order, element {i}");
            assert_eq!(planned[i], a[i] * b[i] + row[i % columns], "planned, element {i}");
        }
    }

    #[test]
    fn a_pullback_writes_what_is_wanted_alone() {
        let len = 21;
        let [a, b, c, g] = [1, 2, 3, 4].map(|seed| numbers(len, seed));
        let (mut of_a, mut of_c) = (vec![0.0; len], vec![0.0; len]);
        let results = [Some(&mut of_a[..]), None, Some(&mut of_c[..])];
        in_order(len, &lying(&[len], &[1]), [&a[..], &b, &c], [&g[..]], results).backward(&MulAdd);
        assert!((0..len).all(|i| of_a[i] == g[i] * b[i] && of_c[i] == g[i]));
    }

    /// Lengths around blocks and vectors, of tensors with and without memory behind the last element.
    #[test]
    fn a_result_goes_over_the_cotangent_that_it_comes_from() {
        for len in [1, 16, 21, 64, 81] {
            let [a, b, c, g] = [1, 2, 3, 4].map(|seed| numbers(len, seed));
            for room in [len, len.next_multiple_of(TAIL)] {
                let mut cotangent = g.clone();
                cotangent.resize(room, 0.0);
                let mut of_c = vec![0.0; len];
                let layout = lying(&[len], &[1]);
                let inputs = [&a[..], &b, &c].map(|slice| Some(View::of(slice, &layout)));
                let over = Some((0, InOut::from(&mut cotangent[..])));
                let results = [None, None, Some(Target::from(&mut of_c[..]))];
                Job::in_order(len, inputs, [None], results, over).backward(&MulAdd);
                let of_a = &cotangent;
                assert!((0..len).all(|i| of_a[i] == g[i] * b[i] && of_c[i] == g[i]), "{len} elements");
            }
        }
    }

    /// A second run would read cotangents that the first one wrote over.
    #[test]
    #[should_panic(expected = "a formula's job runs once")]
    fn a_job_runs_once() {
        let (a, mut out, layout) = ([1.0f32; 8], [0.0; 8], lying(&[8], &[1]));
        let job = in_order(8, &layout, [&a[..], &a, &a], [], [Some(&mut out[..])]);
        job.forward(&MulAdd);
        job.forward(&MulAdd);
    }

    #[test]
    #[should_panic(expected = "input 1 is too short")]
    fn operands_must_fit() {
        let (long, short, mut out, layout) = ([0.0f32; 8], [0.0; 7], [0.0; 8], lying(&[7], &[1]));
        in_order(8, &layout, [&long[..], &short, &long], [], [Some(&mut out[..])]).forward(&MulAdd);
    }

    #[test]
    #[should_panic(expected = "an operand of shape [3] for [2, 2]")]
    fn operands_must_broadcast() {
        let (three, four) = (lying(&[3], &[1]), lying(&[2, 2], &[2, 1]));
        let (a, mut out) = ([1.0f32; 4], [0.0; 4]);
        let operands = [View::of(&a, &four), View::of(&a, &three), View::of(&a, &four)];
        let target = Some(Target::of(&mut out, &four));
        Job::planned(four.shape(), operands, [], [target], |job| job.forward(&MulAdd));
    }
}
