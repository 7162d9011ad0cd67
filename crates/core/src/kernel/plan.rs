//! How several operands of one broadcast shape are gone through: outer rows, an inner loop.

use smallvec::SmallVec;

use crate::dims::Dims;

/// The loops over a shape that several operands share, with as few axes as their strides allow.
///
/// `outer` are the extents of the outer axes; `inner` is the length of the innermost loop.
pub(crate) struct Plan {
    pub(crate) outer: Dims,
    pub(crate) inner: usize,
    pub(crate) operands: SmallVec<[Walker; 16]>,
    /// The operands' strides along the outer axes: those of one axis side by side, since they are stepped together, and zeros up to a
    /// whole number of lanes.
    strides: Strides,
}

/// How one operand moves along the inner axis.
pub(crate) struct Walker {
    pub(crate) step: usize,
}

type Strides = SmallVec<[usize; 32]>;

/// Offsets that are stepped at once.
const LANES: usize = 4;

impl Plan {
    /// [`Plan::of`] lists of strides.
    #[cfg(test)]
    pub(crate) fn new<S: AsRef<[usize]>>(shape: &[usize], operands: &[S]) -> Plan {
        Plan::of(shape, operands.len(), |o, axis| operands[o].as_ref()[axis])
    }

    /// The loops of `count` operands, from the stride of each along each axis. Neighbouring axes along which every operand goes on without
    /// a jump are one.
    #[inline]
    pub(crate) fn of(shape: &[usize], count: usize, stride: impl Fn(usize, usize) -> usize) -> Plan {
        let mut outer = Dims::default();
        let mut strides = Strides::new();
        let width = count.next_multiple_of(LANES);
        for (axis, &extent) in shape.iter().enumerate().filter(|(_, extent)| **extent != 1) {
            let end = strides.len();
            strides.reserve(width);
            for o in 0..width {
                strides.push(if o < count { stride(o, axis) } else { 0 });
            }
            let (kept, new) = strides.split_at(end);
            let before = &kept[end.saturating_sub(width)..];
            let goes_on = end > 0 && before.iter().zip(new).all(|(before, new)| *before == new * extent);
            match outer.last_mut().filter(|_| goes_on) {
                Some(merged) => {
                    *merged *= extent;
                    strides.copy_within(end.., end - width);
                    strides.truncate(end);
                }
                None => outer.push(extent),
            }
        }
        let innermost = strides.len().saturating_sub(width);
        let mut operands = SmallVec::with_capacity(count);
        for o in 0..count {
            operands.push(Walker { step: strides.get(innermost + o).copied().unwrap_or(0) });
        }
        strides.truncate(innermost);
        Plan { inner: outer.pop().unwrap_or(1), outer, operands, strides }
    }

    /// The highest index that operand `o` reaches, or none if the shape is empty.
    pub(crate) fn reach(&self, o: usize) -> Option<usize> {
        if self.inner == 0 || self.outer.contains(&0) {
            return None;
        }
        let width = self.operands.len().next_multiple_of(LANES);
        let mut outer = 0;
        for (axis, extent) in self.outer.iter().enumerate() {
            outer += (extent - 1) * self.strides[axis * width + o];
        }
        Some(outer + (self.inner - 1) * self.operands[o].step)
    }

    /// The rows, in row-major order.
    #[inline]
    pub(crate) fn rows(&self) -> Rows<'_> {
        let count = if self.inner == 0 { 0 } else { self.outer.count() };
        Rows {
            plan: self,
            left: count,
            index: SmallVec::from_elem(0, self.outer.len()),
            offsets: SmallVec::from_elem(0, self.operands.len().next_multiple_of(LANES)),
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
    index: SmallVec<[usize; 4]>,
    /// Each operand's offset at the start of this row, and zeros behind.
    pub(crate) offsets: SmallVec<[usize; 16]>,
}

impl Rows<'_> {
    /// To the next row: the last outer axis runs fastest.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.left -= 1;
        if self.left == 0 {
            return;
        }
        let Plan { outer, strides, .. } = self.plan;
        let (offsets, index) = (&mut self.offsets[..], &mut self.index[..]);
        let mut end = strides.len();
        for (at, extent) in index.iter_mut().zip(&**outer).rev() {
            let strides = &strides[end - offsets.len()..end];
            end -= offsets.len();
            *at += 1;
            if *at < *extent {
                return step(offsets, strides, 1);
            }
            *at = 0;
            step(offsets, strides, (extent - 1).wrapping_neg());
        }
    }
}

/// Moves all offsets by `times` strides: lanes at once, and backward if `times` is a negative number in two's complement.
#[inline]
fn step(offsets: &mut [usize], strides: &[usize], times: usize) {
    for (offsets, strides) in offsets.chunks_exact_mut(LANES).zip(strides.chunks_exact(LANES)) {
        for lane in 0..LANES {
            offsets[lane] = offsets[lane].wrapping_add(strides[lane].wrapping_mul(times));
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
        let (mut rows, mut seen) = (plan.rows(), Vec::new());
        while rows.left > 0 {
            seen.push((rows.offsets[0], rows.offsets[1]));
            rows.advance();
        }
        assert_eq!(seen, vec![(0, 0), (2, 2), (1, 4), (3, 6)]);
    }
}
