//! Sums that run in lanes, as vectors of any length hold them: the order of additions depends on the length alone.

use smallvec::SmallVec;

use crate::element::Float;
use crate::tensor::Tensor;

/// How many elements a step of a loop takes: a whole number of vectors of any level.
pub(crate) const LANES: usize = 16;
/// The elements that are added up in their own precision before the sum joins a total in f64.
pub(crate) const CHUNK: usize = 64 * LANES;
/// The lanes of a sum that stays in memory: a loop so long that the compiler takes vectors of it, rather than unroll
/// it into single elements.
pub(crate) const WIDE: usize = 128;

/// The sum of the lanes, in halves.
///
/// Out of line: seen together with the loop that fills the lanes, the last sums of two would have the compiler keep
/// the lanes in pairs, in place of whole vectors.
#[inline(never)]
pub(crate) fn folded<T: Float>(lanes: &[T; LANES]) -> f64 {
    let mut sums = [0.0; LANES];
    for l in 0..LANES {
        sums[l] = lanes[l].to_f64();
    }
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            sums[l] += sums[l + width];
        }
        width /= 2;
    }
    sums[0]
}

/// [`folded`] for many lanes.
#[inline(always)]
pub(crate) fn folded_wide<T: Float>(lanes: &[T; WIDE]) -> f64 {
    let mut sums = [T::ZERO; LANES];
    for group in lanes.as_chunks::<LANES>().0 {
        for l in 0..LANES {
            sums[l] = sums[l] + group[l];
        }
    }
    folded(&sums)
}

/// The largest of the lanes; out of line as [`folded`].
#[inline(never)]
pub(crate) fn largest<T: Float>(lanes: &[T; LANES]) -> T {
    let mut max = lanes[0];
    for &x in lanes {
        max = if x > max { x } else { max };
    }
    max
}

/// A row's sum: lanes inside chunks, chunks in f64.
#[inline(always)]
pub(crate) fn sum<T: Float>(row: &[T]) -> f64 {
    let mut total = 0.0;
    for chunk in row.chunks(CHUNK) {
        let mut lanes = [T::ZERO; LANES];
        let (groups, rest) = chunk.as_chunks::<LANES>();
        for group in groups {
            for l in 0..LANES {
                lanes[l] = lanes[l] + group[l];
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane = *lane + x;
        }
        total += folded(&lanes);
    }
    total
}

/// The sum of the products of two rows, as [`sum`].
#[inline(always)]
pub(crate) fn dot<T: Float>(a: &[T], b: &[T]) -> f64 {
    let mut total = 0.0;
    for (a, b) in a.chunks(CHUNK).zip(b.chunks(CHUNK)) {
        let mut lanes = [T::ZERO; LANES];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for l in 0..LANES {
                lanes[l] = lanes[l] + a[l] * b[l];
            }
        }
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
            *lane = *lane + a * b;
        }
        total += folded(&lanes);
    }
    total
}

/// A row's mean and its variance around that mean, biased: sums in f64.
#[inline(always)]
pub(crate) fn moments<T: Float>(row: &[T]) -> (T, f64) {
    let count = row.len() as f64;
    let mut lanes = [0.0; WIDE];
    for chunk in row.chunks(WIDE) {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += x.to_f64();
        }
    }
    let mean = T::from_f64(folded_wide(&lanes) / count);
    let mut lanes = [0.0; WIDE];
    for chunk in row.chunks(WIDE) {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            let centred = (x - mean).to_f64();
            *lane += centred * centred;
        }
    }
    (mean, folded_wide(&lanes) / count)
}

/// Sums of rows of columns, in a binary tree over groups of rows: short sums keep their digits.
pub(crate) struct Tree<T: Float> {
    /// `waiting[l]` is the sum of 2^l groups, as the bits of the number of groups so far say; in recycled memory.
    waiting: SmallVec<[Tensor<T>; 4]>,
    groups: usize,
}

/// Rows that are summed before their sum joins the tree.
pub(crate) const ROWS: usize = 128;

impl<T: Float> Tree<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Tree { waiting: SmallVec::new(), groups: 0 }
    }

    /// Takes the sums of a group of rows that is not the last.
    #[inline(always)]
    pub(crate) fn push(&mut self, sums: &[T]) {
        let mut joined = Tensor::build(&[sums.len()][..], |out| out.copy_from_slice(sums));
        for _ in 0..self.groups.trailing_ones() {
            add(joined.fresh_mut(), self.waiting.pop().expect("one for each set bit").raw());
        }
        self.waiting.push(joined);
        self.groups += 1;
    }

    /// Adds all that was pushed to the sums of the last group.
    #[inline(always)]
    pub(crate) fn finish(&self, sums: &mut [T]) {
        for waiting in self.waiting.iter().rev() {
            add(sums, waiting.raw());
        }
    }
}

#[inline(always)]
pub(crate) fn add<T: Float>(sums: &mut [T], terms: &[T]) {
    for (sum, &x) in sums.iter_mut().zip(terms) {
        *sum = *sum + x;
    }
}
