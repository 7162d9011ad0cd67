//! How several operands of one broadcast shape are gone through: rows, and an inner loop along each.
#![allow(
    clippy::needless_range_loop,
    reason = "arrays of operands are walked side by side, without closures"
)]

use std::ops::Range;

use smallvec::SmallVec;

use crate::memory::dims::Dims;
use crate::memory::layout::Layout;
use crate::memory::view::{Target, View};

/// A number for each operand of a formula: a stride, an offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Each<const I: usize, const C: usize, const O: usize> {
    pub(crate) inputs: [usize; I],
    pub(crate) cotangents: [usize; C],
    pub(crate) results: [usize; O],
}

impl<const I: usize, const C: usize, const O: usize> Each<I, C, O> {
    pub(crate) const ZERO: Self = Each { inputs: [0; I], cotangents: [0; C], results: [0; O] };

    /// Adds `times` strides to each offset. What lies in memory doesn't wrap.
    #[inline(always)]
    fn step(&mut self, strides: &Self, times: usize) {
        self.each(strides, |from, stride| from.wrapping_add(stride.wrapping_mul(times)));
    }

    #[inline(always)]
    fn each(&mut self, strides: &Self, along: impl Fn(usize, usize) -> usize) {
        for i in 0..I {
            self.inputs[i] = along(self.inputs[i], strides.inputs[i]);
        }
        for c in 0..C {
            self.cotangents[c] = along(self.cotangents[c], strides.cotangents[c]);
        }
        for o in 0..O {
            self.results[o] = along(self.results[o], strides.results[o]);
        }
    }

    /// Whether a step along these strides leads where `extent` steps along `inner` do, for every operand.
    #[inline(always)]
    fn goes_on(&self, inner: &Self, extent: usize) -> bool {
        let mut along = Self::ZERO;
        along.step(inner, extent);
        *self == along
    }
}

/// Whether an axis of this extent is gone along at all: that of one element is not.
#[inline(always)]
fn is_walked(extent: usize) -> bool {
    extent != 1
}

/// Whether the rows that a plan over `shape` would go along, along the last axis that is walked, lie in
/// order in an operand of these strides: only such a one can be a result.
#[inline]
pub fn has_rows_in_order(shape: &[usize], strides: &[usize]) -> bool {
    let mut axis = shape.len();
    while axis > 0 && !is_walked(shape[axis - 1]) {
        axis -= 1;
    }
    axis == 0 || strides[axis - 1] == 1
}

/// Checks that a layout is stretched to a shape along axes of one entry alone.
#[inline]
fn check_broadcasts(shape: &Dims, layout: &Layout) {
    let own = layout.shape();
    let mut fits = own.len() <= shape.len();
    if own != shape {
        let last = own.iter().rev().zip(shape.iter().rev());
        fits &= last.fold(true, |fits, (&own, &extent)| fits & (own == extent || own == 1));
    }
    assert!(fits, "an operand of shape {own:?} for {shape:?}");
}

/// How far neighbours along an axis of a shape of this rank, which `layout` broadcasts to, are apart: not
/// at all where it is stretched.
#[inline(always)]
fn stride(layout: &Layout, rank: usize, axis: usize) -> usize {
    match (axis + layout.shape().len()).checked_sub(rank) {
        Some(own) if layout.shape()[own] != 1 => layout.strides()[own],
        _ => 0,
    }
}

/// The loops over a shape that several operands share, with as few axes as their strides allow.
pub(crate) struct Plan<const I: usize, const C: usize, const O: usize> {
    /// How many elements a row has, and how far they are apart.
    pub(crate) inner: usize,
    pub(crate) steps: Each<I, C, O>,
    /// How many rows there are one below the other, and how far they are apart.
    rows: usize,
    pub(crate) strides: Each<I, C, O>,
    /// The same of the loops around them; nearly always there are none.
    outer: SmallVec<[(usize, Each<I, C, O>); 1]>,
}

impl<const I: usize, const C: usize, const O: usize> Plan<I, C, O> {
    /// The loops over `shape`, from the strides along each axis. Neighbouring axes along which every
    /// operand goes on without a jump are one.
    #[inline(always)]
    pub(crate) fn of(shape: &[usize], strides: impl Fn(usize) -> Each<I, C, O>) -> Self {
        let mut plan =
            Plan { inner: 1, steps: Each::ZERO, rows: 1, strides: Each::ZERO, outer: SmallVec::new() };
        for axis in 0..shape.len() {
            if is_walked(shape[axis]) {
                plan.append(shape[axis], strides(axis));
            }
        }
        plan
    }

    /// The loops over `shape`, to which the operands broadcast, and which the results have.
    ///
    /// # Panics
    /// If they don't.
    #[inline(always)]
    pub(crate) fn over<T>(
        shape: &Dims,
        inputs: &[View<'_, T>; I],
        cotangents: &[View<'_, T>; C],
        results: &[Option<Target<'_, T>>; O],
    ) -> Self {
        let rank = shape.len();
        for i in 0..I {
            check_broadcasts(shape, inputs[i].layout());
        }
        for c in 0..C {
            check_broadcasts(shape, cotangents[c].layout());
        }
        for o in 0..O {
            if let Some(target) = &results[o] {
                assert!(
                    target.layout().is_some_and(|layout| layout.shape() == shape),
                    "a result of shape {shape:?}"
                );
            }
        }
        Plan::of(shape, |axis| {
            let mut strides = Each::ZERO;
            for i in 0..I {
                strides.inputs[i] = stride(inputs[i].layout(), rank, axis);
            }
            for c in 0..C {
                strides.cotangents[c] = stride(cotangents[c].layout(), rank, axis);
            }
            for o in 0..O {
                if let Some(layout) = results[o].as_ref().and_then(Target::layout) {
                    strides.results[o] = layout.strides()[axis];
                }
            }
            strides
        })
    }

    /// With another loop inside of all others.
    #[inline(always)]
    fn append(&mut self, extent: usize, steps: Each<I, C, O>) {
        if self.inner == 1 || self.steps.goes_on(&steps, extent) {
            self.inner = self.inner.wrapping_mul(extent);
        } else {
            if self.rows != 1 {
                self.outer.push((self.rows, self.strides));
            }
            (self.rows, self.strides) = (self.inner, self.steps);
            self.inner = extent;
        }
        self.steps = steps;
    }

    /// How many rows there are in all.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        let mut count = if self.inner == 0 { 0 } else { self.rows };
        for (extent, _) in &self.outer {
            count = count.wrapping_mul(*extent);
        }
        count
    }

    /// Some of the rows, in row-major order.
    #[inline(always)]
    pub(crate) fn part(&self, range: &Range<usize>) -> RowsOfPart<'_, I, C, O> {
        let mut rows =
            RowsOfPart { plan: self, next: range.start, end: range.end, row: 0, offsets: Each::ZERO };
        if range.start > 0 {
            rows.seek();
        }
        rows
    }
}

/// Where a plan's outer loops are.
pub(crate) struct RowsOfPart<'p, const I: usize, const C: usize, const O: usize> {
    plan: &'p Plan<I, C, O>,
    /// Which row comes next, and which one no more.
    next: usize,
    end: usize,
    /// Where that one is among those one below the other.
    row: usize,
    /// Each operand's offset at the start of it.
    pub(crate) offsets: Each<I, C, O>,
}

impl<const I: usize, const C: usize, const O: usize> RowsOfPart<'_, I, C, O> {
    /// Whether there is a row left.
    #[inline(always)]
    pub(crate) fn any_left(&self) -> bool {
        self.next < self.end
    }

    /// How many of the rows that are left lie one below the other from the next one on.
    #[inline]
    pub(crate) fn below(&self) -> usize {
        (self.plan.rows - self.row).min(self.end - self.next)
    }

    /// Past those.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.next += self.below();
        if self.any_left() {
            self.seek();
        }
    }

    /// To row `next`, from wherever.
    fn seek(&mut self) {
        self.offsets = Each::ZERO;
        let Plan { rows, strides, outer, .. } = self.plan;
        self.row = self.next % rows;
        self.offsets.step(strides, self.row);
        let mut sheet = self.next / rows;
        for (extent, strides) in outer.iter().rev() {
            self.offsets.step(strides, sheet % extent);
            sheet /= extent;
        }
    }
}

#[cfg(test)]
impl<const I: usize, const O: usize> Plan<I, 0, O> {
    /// [`Plan::of`] lists of strides: those of the inputs, then those of the results.
    pub(crate) fn new<S: AsRef<[usize]>>(shape: &[usize], operands: &[S]) -> Self {
        let stride = |operand: usize, axis: usize| operands[operand].as_ref()[axis];
        Plan::of(shape, |axis| Each {
            inputs: std::array::from_fn(|i| stride(i, axis)),
            cotangents: [],
            results: std::array::from_fn(|o| stride(I + o, axis)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offsets of an input and a result at the rows of a part.
    fn offsets(plan: &Plan<1, 0, 1>, part: Range<usize>) -> Vec<(usize, usize)> {
        let (mut rows, mut seen) = (plan.part(&part), Vec::new());
        while rows.any_left() {
            for _ in 0..rows.below() {
                seen.push((rows.offsets.inputs[0], rows.offsets.results[0]));
                rows.offsets.step(&plan.strides, 1);
            }
            rows.advance();
        }
        seen
    }

    #[test]
    fn axes_that_lie_in_order_merge() {
        let plan = Plan::<1, 0, 1>::new(&[2, 3, 4], &[[12, 4, 1], [12, 4, 1]]);
        assert_eq!((plan.count(), plan.inner), (1, 24));
        let plan = Plan::<1, 0, 1>::new(&[2, 3, 4], &[[12, 4, 1], [0, 4, 1]]);
        assert_eq!((plan.count(), plan.inner), (2, 12));
    }

    #[test]
    fn rows_are_in_order_just_where_a_plan_goes_along_neighbours() {
        let extents = [1, 2, 3];
        let shapes =
            extents.iter().flat_map(|&a| extents.iter().flat_map(move |&b| extents.map(|c| [a, b, c])));
        for shape in shapes {
            for strides in [[12, 4, 1], [1, 2, 4], [1, 1, 1], [4, 1, 7], [2, 2, 2]] {
                let plan = Plan::<0, 0, 1>::new(&shape, &[strides]);
                let planned = plan.inner == 1 || plan.steps.results[0] == 1;
                assert_eq!(has_rows_in_order(&shape, &strides), planned, "{shape:?}, {strides:?}");
            }
        }
    }

    #[test]
    fn a_shape_without_elements_has_no_rows() {
        for shape in [[0, 3, 2], [3, 0, 2], [3, 2, 0]] {
            let plan = Plan::<1, 0, 1>::new(&shape, &[[1, 2, 4], [4, 2, 1]]);
            assert_eq!(plan.count() * plan.inner, 0);
        }
    }

    #[test]
    fn rows_come_in_row_major_order() {
        let plan = Plan::new(&[2, 2, 2], &[[1, 2, 4], [4, 2, 1]]);
        assert_eq!(offsets(&plan, 0..plan.count()), vec![(0, 0), (2, 2), (1, 4), (3, 6)]);
    }

    #[test]
    fn parts_make_the_whole() {
        for strides in [[[100, 1, 10, 40], [4, 8, 1, 2]], [[12, 4, 2, 1], [24, 8, 2, 1]]] {
            let plan = Plan::new(&[2, 3, 2, 2], &strides);
            let count = plan.count();
            for cut in 0..=count {
                let cut_up = [offsets(&plan, 0..cut), offsets(&plan, cut..count)].concat();
                assert_eq!(cut_up, offsets(&plan, 0..count));
            }
        }
    }
}
