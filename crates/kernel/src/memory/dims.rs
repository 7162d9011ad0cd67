//! Extents and strides: short lists of numbers, inline up to rank four.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// The most elements that a tensor has: then indices, and sums of two of them, are numbers of the machine.
pub const MOST_ELEMENTS: usize = isize::MAX as usize;

/// How many extents lie inline.
const INLINE: usize = 4;

/// The extents (or strides) of a tensor's axes; up to four lie inline, so that copying them is a few moves.
pub struct Dims(Repr);

impl Clone for Dims {
    #[inline]
    fn clone(&self) -> Self {
        Dims(self.0.clone())
    }

    #[inline]
    fn clone_from(&mut self, from: &Self) {
        match (&mut self.0, &from.0) {
            (Repr::Inline { len, dims }, Repr::Inline { len: from_len, dims: from_dims }) => {
                *len = *from_len;
                *dims = *from_dims;
            }
            (to, from) => *to = from.clone(),
        }
    }
}

#[derive(Clone)]
enum Repr {
    Inline { len: usize, dims: [usize; INLINE] },
    Heap(Vec<usize>),
}

impl Default for Dims {
    fn default() -> Self {
        Dims(Repr::Inline { len: 0, dims: [0; INLINE] })
    }
}

impl PartialEq for Dims {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            // Entries behind the length are zero, so all can be compared at once.
            (Repr::Inline { len: a, dims: x }, Repr::Inline { len: b, dims: y }) => a == b && x == y,
            _ => **self == **other,
        }
    }
}

impl Eq for Dims {}

impl Hash for Dims {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl Deref for Dims {
    type Target = [usize];
    #[inline]
    fn deref(&self) -> &[usize] {
        match &self.0 {
            Repr::Inline { len, dims } => &dims[..*len],
            Repr::Heap(dims) => dims,
        }
    }
}

impl DerefMut for Dims {
    #[inline]
    fn deref_mut(&mut self) -> &mut [usize] {
        match &mut self.0 {
            Repr::Inline { len, dims } => &mut dims[..*len],
            Repr::Heap(dims) => dims,
        }
    }
}

impl AsRef<[usize]> for Dims {
    fn as_ref(&self) -> &[usize] {
        self
    }
}

impl From<&[usize]> for Dims {
    #[inline]
    fn from(from: &[usize]) -> Self {
        if from.len() > INLINE {
            return Dims(Repr::Heap(from.to_vec()));
        }
        let mut dims = [0; INLINE];
        for (to, from) in dims.iter_mut().zip(from) {
            *to = *from;
        }
        Dims(Repr::Inline { len: from.len(), dims })
    }
}

impl FromIterator<usize> for Dims {
    fn from_iter<I: IntoIterator<Item = usize>>(iter: I) -> Self {
        let mut dims = Dims::default();
        for extent in iter {
            dims.push(extent);
        }
        dims
    }
}

impl fmt::Debug for Dims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl Dims {
    /// Appends an extent.
    #[inline]
    pub fn push(&mut self, extent: usize) {
        match &mut self.0 {
            Repr::Inline { len, dims } if *len < INLINE => {
                dims[*len] = extent;
                *len += 1;
            }
            Repr::Inline { dims, .. } => {
                let mut heap = dims.to_vec();
                heap.push(extent);
                self.0 = Repr::Heap(heap);
            }
            Repr::Heap(dims) => dims.push(extent),
        }
    }

    /// Puts an extent before that of `axis`.
    pub fn insert(&mut self, axis: usize, extent: usize) {
        self.push(extent);
        for to in (axis + 1..self.len()).rev() {
            self[to] = self[to - 1];
        }
        self[axis] = extent;
    }

    /// Takes the last one off.
    #[inline]
    pub fn pop(&mut self) -> Option<usize> {
        match &mut self.0 {
            Repr::Inline { len, dims } => {
                *len = len.checked_sub(1)?;
                // Entries behind the length are zero.
                Some(std::mem::take(&mut dims[*len]))
            }
            Repr::Heap(dims) => dims.pop(),
        }
    }

    /// Takes the extent of `axis` out.
    pub fn remove(&mut self, axis: usize) -> usize {
        let removed = self[axis];
        for to in axis..self.len() - 1 {
            self[to] = self[to + 1];
        }
        self.pop();
        removed
    }

    /// The number of elements: the product of the extents, 1 for a scalar.
    ///
    /// It is that of a tensor, and so fits, or one of them is zero: then it is zero, whatever the product
    /// of the others wraps to.
    #[inline]
    pub fn count(&self) -> usize {
        let mut count = 1usize;
        for &extent in &**self {
            count = count.wrapping_mul(extent);
        }
        count
    }

    /// Strides of these extents laid out in row-major order.
    #[inline]
    pub fn row_major(&self) -> Dims {
        let mut strides = Dims::default();
        strides.set_row_major(self);
        strides
    }

    /// Becomes the strides of `shape` in row-major order; in place, since moving what was just written is
    /// slow.
    #[inline]
    pub fn set_row_major(&mut self, shape: &Dims) {
        self.clone_from(shape);
        let mut step = 1usize;
        for (stride, &extent) in self.iter_mut().zip(shape.iter()).rev() {
            *stride = step;
            // Only where there are no elements can it be too large for a number: then no index is multiplied
            // by it.
            step = step.saturating_mul(extent);
        }
    }
}

/// The number of elements of a tensor of these extents, zero as soon as one of them is; none if it is more
/// than a tensor has.
///
/// Everything that makes a tensor asks here, by way of the pool's storages at the latest.
#[inline]
pub fn checked_count(extents: &[usize]) -> Option<usize> {
    let (mut count, mut fits) = (1usize, true);
    for &extent in extents {
        let (product, wraps) = count.overflowing_mul(extent);
        (count, fits) = (product, fits & !wraps);
    }
    if fits && count <= MOST_ELEMENTS {
        return Some(count);
    }
    extents.contains(&0).then_some(0)
}

/// The product of some of a tensor's extents. Where the tensor has no elements it may not fit: then it is
/// as large as can be.
#[inline]
pub fn product(extents: &[usize]) -> usize {
    checked_count(extents).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_fits_or_there_is_none() {
        let half = 1 << 32;
        assert_eq!(checked_count(&[]), Some(1));
        assert_eq!(checked_count(&[MOST_ELEMENTS, 1]), Some(MOST_ELEMENTS));
        for extents in [
            &[half, half][..],
            &[MOST_ELEMENTS, 2],
            &[usize::MAX],
            &[usize::MAX, usize::MAX],
            &[half, half, 1],
        ] {
            assert_eq!(checked_count(extents), None);
            assert_eq!(product(extents), usize::MAX);
        }
        for extents in [&[0, 1 << 63, 2][..], &[1 << 63, 2, 0], &[usize::MAX, 0, usize::MAX]] {
            assert_eq!((checked_count(extents), Dims::from(extents).count()), (Some(0), 0));
            assert_eq!(Dims::from(extents).row_major().len(), 3);
        }
    }
}
