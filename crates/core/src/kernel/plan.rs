//! How several operands of one broadcast shape are gone through: outer rows, an inner loop.

use std::ops::Range;

use smallvec::SmallVec;

use crate::dims::Dims;

/// The loops over a shape that several operands share, with as few axes as their strides allow.
///
/// `outer` are the extents of the outer axes; `inner` is the length of the innermost loop.
pub(crate) struct Plan {
    pub(crate) outer: Dims,
    pub(crate) inner: usize,
    pub(crate) operands: SmallVec<[Walker; 8]>,
}

/// How one operand moves: a step along the inner axis, a stride for each outer one.
pub(crate) struct Walker {
    pub(crate) step: usize,
    pub(crate) strides: Dims,
}

impl Plan {
    /// Merges neighbouring axes along which every operand goes on without a jump.
    pub(crate) fn new<S: AsRef<[usize]>>(shape: &[usize], operands: &[S]) -> Plan {
        let mut outer = Dims::default();
        let mut walkers: SmallVec<[Walker; 8]> = SmallVec::new();
        operands.iter().for_each(|_| walkers.push(Walker { step: 0, strides: Dims::default() }));
        for (axis, &extent) in shape.iter().enumerate().filter(|(_, extent)| **extent != 1) {
            let kept = outer.len();
            let stride = |o: usize| operands[o].as_ref()[axis];
            let goes_on = kept > 0
                && walkers.iter().enumerate().all(|(o, w)| w.strides[kept - 1] == stride(o) * extent);
            if goes_on {
                outer[kept - 1] *= extent;
                walkers.iter_mut().enumerate().for_each(|(o, w)| w.strides[kept - 1] = stride(o));
            } else {
                outer.push(extent);
                walkers.iter_mut().enumerate().for_each(|(o, w)| w.strides.push(stride(o)));
            }
        }
        let Some(last) = outer.len().checked_sub(1) else {
            return Plan { outer, inner: 1, operands: walkers };
        };
        walkers.iter_mut().for_each(|walker| walker.step = walker.strides.remove(last));
        Plan { inner: outer.remove(last), outer, operands: walkers }
    }

    /// The highest index that operand `o` reaches, or none if the shape is empty.
    pub(crate) fn reach(&self, o: usize) -> Option<usize> {
        if self.inner == 0 || self.outer.contains(&0) {
            return None;
        }
        let walker = &self.operands[o];
        let outer: usize = self.outer.iter().zip(walker.strides.iter()).map(|(n, s)| (n - 1) * s).sum();
        Some(outer + (self.inner - 1) * walker.step)
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> usize {
        if self.inner == 0 { 0 } else { self.outer.iter().product() }
    }

    /// The rows, in row-major order.
    pub(crate) fn rows(&self) -> Rows<'_> {
        self.part(&(0..self.count()))
    }

    /// Some of the rows.
    pub(crate) fn part(&self, range: &Range<usize>) -> Rows<'_> {
        let mut rows = Rows {
            plan: self,
            left: range.len(),
            index: SmallVec::from_elem(0, self.outer.len()),
            offsets: SmallVec::from_elem(0, self.operands.len()),
        };
        rows.skip(range.start);
        rows
    }

    /// Calls `row` with each operand's offset at the start of every inner loop, in row-major order.
    pub(crate) fn for_each_row(&self, mut row: impl FnMut(&[usize])) {
        let mut rows = self.rows();
        while rows.left > 0 {
            row(&rows.offsets);
            rows.advance();
        }
    }
}

/// Where a plan's outer loops are.
///
/// Vector kernels go through it with a plain loop: a closure would be compiled without their instructions.
pub(crate) struct Rows<'p> {
    plan: &'p Plan,
    /// How many rows are still to be visited, this one included.
    pub(crate) left: usize,
    index: SmallVec<[usize; 6]>,
    /// Each operand's offset at the start of this row.
    pub(crate) offsets: SmallVec<[usize; 8]>,
}

impl Rows<'_> {
    /// From the first row to the `n`-th.
    fn skip(&mut self, mut n: usize) {
        let Plan { outer, operands, .. } = self.plan;
        for axis in (0..outer.len()).rev() {
            if n == 0 {
                return;
            }
            self.index[axis] = n % outer[axis];
            n /= outer[axis];
            let index = self.index[axis];
            self.offsets.iter_mut().zip(operands).for_each(|(o, w)| *o += index * w.strides[axis]);
        }
    }

    /// To the next row: the last outer axis runs fastest.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.left -= 1;
        if self.left == 0 {
            return;
        }
        let Plan { outer, operands, .. } = self.plan;
        for axis in (0..self.index.len()).rev() {
            self.index[axis] += 1;
            if self.index[axis] < outer[axis] {
                return self.offsets.iter_mut().zip(operands).for_each(|(o, w)| *o += w.strides[axis]);
            }
            self.index[axis] = 0;
            let back = outer[axis] - 1;
            self.offsets.iter_mut().zip(operands).for_each(|(o, w)| *o -= back * w.strides[axis]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_lie_in_order_merge() {
        let plan = Plan::new(&[2, 3, 4], &[[12, 4, 1], [12, 4, 1]]);
        assert_eq!((plan.outer.len(), plan.inner), (0, 24));
        let plan = Plan::new(&[2, 3, 4], &[[12, 4, 1], [0, 4, 1]]);
        assert_eq!((&*plan.outer, plan.inner), (&[2][..], 12));
        assert_eq!(plan.reach(0), Some(23));
    }

    #[test]
    fn rows_come_in_row_major_order() {
        let plan = Plan::new(&[2, 2, 2], &[[1, 2, 4], [4, 2, 1]]);
        let mut seen = Vec::new();
        plan.for_each_row(|o| seen.push((o[0], o[1])));
        assert_eq!(seen, vec![(0, 0), (2, 2), (1, 4), (3, 6)]);
    }

    #[test]
    fn parts_make_the_whole() {
        let plan = Plan::new(&[2, 3, 2, 2], &[[100, 1, 10, 40], [4, 8, 1, 2]]);
        let offsets = |range: Range<usize>| {
            let (mut rows, mut seen) = (plan.part(&range), Vec::new());
            while rows.left > 0 {
                seen.push(rows.offsets.to_vec());
                rows.advance();
            }
            seen
        };
        let count = plan.count();
        for cut in 0..=count {
            assert_eq!([offsets(0..cut), offsets(cut..count)].concat(), offsets(0..count));
        }
    }
}
