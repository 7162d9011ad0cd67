//! Sums that run in lanes, as vectors of any length hold them: the order of additions depends on the length
//! alone.

use crate::number::Arithmetic;
use crate::real::Lane;

/// How many elements a step of a loop takes: a whole number of vectors of any level.
pub const LANES: usize = 16;
/// The elements that are added up in their own precision before the sum joins a total in f64.
pub const CHUNK: usize = 64 * LANES;
/// The elements of a chunk that are added up before their sums join those of the others: equal terms, whose
/// roundings all go one way, lose a digit less.
const PART: usize = 8 * LANES;
/// The lanes of a sum that stays in memory: a loop so long that the compiler takes vectors of it, rather
/// than unroll it into single elements.
pub const WIDE: usize = 128;
/// [`CHUNK`] for as many lanes.
pub const WIDE_CHUNK: usize = 64 * WIDE;

/// The sum of the lanes, in halves.
///
/// Out of line: seen together with the loop that fills the lanes, the last sums of two would have the
/// compiler keep the lanes in pairs, in place of whole vectors.
#[inline(never)]
pub fn folded<T: Arithmetic>(lanes: &[T; LANES]) -> f64 {
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
pub fn folded_wide<T: Arithmetic>(lanes: &[T; WIDE]) -> f64 {
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
pub fn largest<T: Arithmetic>(lanes: &[T; LANES]) -> T {
    let mut max = lanes[0];
    for &x in lanes {
        max = if x > max { x } else { max };
    }
    max
}

/// A row's sum: lanes inside parts, parts inside chunks, chunks in f64.
#[inline(always)]
pub fn sum<T: Arithmetic>(row: &[T]) -> f64 {
    let mut total = 0.0;
    for chunk in row.chunks(CHUNK) {
        let mut lanes = [T::ZERO; LANES];
        for part in chunk.chunks(PART) {
            let sums = part_sums(part);
            for l in 0..LANES {
                lanes[l] = lanes[l] + sums[l];
            }
        }
        total += folded(&lanes);
    }
    total
}

/// The sums of every sixteenth element.
#[inline(always)]
fn part_sums<T: Arithmetic>(part: &[T]) -> [T; LANES] {
    let mut lanes = [T::ZERO; LANES];
    let (groups, rest) = part.as_chunks::<LANES>();
    for group in groups {
        for l in 0..LANES {
            lanes[l] = lanes[l] + group[l];
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = *lane + x;
    }
    lanes
}

/// The sum of the squared distances of a row's elements from their mean, in f64. They are taken from the
/// first element, so that equal ones have none at all; infinite where they leave the range of numbers.
#[inline(always)]
pub fn squared_distances<T: Arithmetic>(row: &[T]) -> f64 {
    let Some(origin) = row.first().map(|x| x.to_f64()) else { return 0.0 };
    let mean = in_f64::<T, false>(row, origin, 0.0) / row.len() as f64;
    let found = in_f64::<T, true>(row, origin, mean);
    if found.is_nan() && row.iter().all(|x| x.to_f64().is_finite()) { f64::INFINITY } else { found }
}

/// The square root of a row's sum of squares, in f64 and for numbers of any size.
#[inline(always)]
pub fn norm<T: Arithmetic>(row: &[T]) -> f64 {
    let squares = in_f64::<T, true>(row, 0.0, 0.0);
    if squares == f64::INFINITY || squares < LEAST_SQUARES { scaled_norm(row) } else { squares.sqrt() }
}

/// A sum of squares whose terms may have lost digits below the normal numbers.
const LEAST_SQUARES: f64 = 1e-280;

/// [`norm`] with the largest element taken out, for where no square is in the range of numbers.
#[cold]
#[inline(never)]
fn scaled_norm<T: Arithmetic>(row: &[T]) -> f64 {
    let largest = row.iter().fold(0.0, |largest: f64, x| largest.max(x.to_f64().abs()));
    if largest == 0.0 || largest == f64::INFINITY {
        return largest;
    }
    let squares = row.iter().map(|x| (x.to_f64() / largest).powi(2));
    largest * squares.fold(0.0, |sum, square| sum + square).sqrt()
}

/// The sum of `x - origin - mean`, or of its squares, in lanes of f64.
#[inline(always)]
fn in_f64<T: Arithmetic, const SQUARED: bool>(row: &[T], origin: f64, mean: f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (groups, rest) = row.as_chunks::<LANES>();
    for group in groups {
        for l in 0..LANES {
            let distance = group[l].to_f64() - origin - mean;
            lanes[l] += if SQUARED { distance * distance } else { distance };
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        let distance = x.to_f64() - origin - mean;
        *lane += if SQUARED { distance * distance } else { distance };
    }
    folded(&lanes)
}

/// The sum of the products of two rows, as [`sum`].
#[inline(always)]
pub fn dot<T: Arithmetic>(a: &[T], b: &[T]) -> f64 {
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

/// A row's mean and its variance around that mean, biased.
///
/// What is summed in its own precision is a guess of the mean and then what is left beside it:
/// `mean = guess + mean(x - guess)`, `variance = mean((x - guess)^2) - mean(x - guess)^2`. The last term is
/// near zero (Chan, Golub, LeVeque 1983).
#[inline(always)]
pub fn moments<T: Arithmetic, N: Lane<T>>(row: &[T]) -> (T, f64) {
    let count = row.len() as f64;
    let mut total = 0.0;
    for chunk in row.chunks(WIDE_CHUNK) {
        let mut lanes = [T::ZERO; WIDE];
        for chunk in chunk.chunks(WIDE) {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane = *lane + x;
            }
        }
        total += folded_wide(&lanes);
    }
    let guess = T::from_f64(total / count);
    let mut totals = [0.0; 2];
    for chunk in row.chunks(WIDE_CHUNK) {
        let mut off = [T::ZERO; WIDE];
        let mut squares = [T::ZERO; WIDE];
        for chunk in chunk.chunks(WIDE) {
            for ((off, square), &x) in off.iter_mut().zip(&mut squares).zip(chunk) {
                let centred = x - guess;
                *off = *off + centred;
                *square = N::wrap(centred).mul_add(N::wrap(centred), N::wrap(*square)).unwrap();
            }
        }
        totals[0] += folded_wide(&off);
        totals[1] += folded_wide(&squares);
    }
    let off = totals[0] / count;
    let variance = totals[1] / count - off * off;
    if variance > LEAST_VARIANCE && variance < f64::INFINITY {
        (T::from_f64(guess.to_f64() + off), variance)
    } else {
        moments_in_f64(row)
    }
}

/// A variance whose terms keep their digits in any type.
const LEAST_VARIANCE: f64 = 1e-30;

/// [`moments`] of elements so large or small that their squares leave the type's range.
#[cold]
#[inline(never)]
fn moments_in_f64<T: Arithmetic>(row: &[T]) -> (T, f64) {
    let count = row.len() as f64;
    let mean = row.iter().map(|x| x.to_f64()).sum::<f64>() / count;
    (T::from_f64(mean), row.iter().map(|x| (x.to_f64() - mean).powi(2)).sum::<f64>() / count)
}

/// Sums of rows of columns, in a binary tree over groups of rows: short sums keep their digits.
pub struct Tree<T: Arithmetic> {
    /// Rows one behind the other: sums of 2^l groups for each bit l of the number of groups so far, the
    /// highest first; in a vector that is used again.
    waiting: Vec<T>,
    groups: usize,
}

/// Rows that are summed before their sum joins the tree.
pub const ROWS_OF_GROUP: usize = 128;

/// How many vectors a thread keeps.
const KEPT_VECTORS: usize = 4;

impl<T: Arithmetic> Drop for Tree<T> {
    fn drop(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.clear();
        let _ = T::spare().try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if waiting.capacity() > 0 && spare.len() < KEPT_VECTORS {
                spare.push(waiting);
            }
        });
    }
}

impl<T: Arithmetic> Default for Tree<T> {
    fn default() -> Self {
        Tree::new()
    }
}

impl<T: Arithmetic> Tree<T> {
    /// A tree of nothing.
    #[inline(always)]
    pub fn new() -> Self {
        let kept = T::spare().try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
        Tree { waiting: kept.unwrap_or_default(), groups: 0 }
    }

    /// Takes the sums of a group of rows that is not the last.
    #[inline(always)]
    pub fn push(&mut self, sums: &[T]) {
        self.waiting.extend_from_slice(sums);
        for _ in 0..self.groups.trailing_ones() {
            let end = self.waiting.len() - sums.len();
            let before = end - sums.len();
            let (others, last) = self.waiting.split_at_mut(end);
            add(&mut others[before..], last);
            self.waiting.truncate(end);
        }
        self.groups += 1;
    }

    /// Adds all that was pushed to the sums of the last group.
    #[inline(always)]
    pub fn finish(&self, sums: &mut [T]) {
        for waiting in self.waiting.chunks_exact(sums.len().max(1)).rev() {
            add(sums, waiting);
        }
    }
}

/// Adds each term to its sum.
#[inline(always)]
pub fn add<T: Arithmetic>(sums: &mut [T], terms: &[T]) {
    for (sum, &x) in sums.iter_mut().zip(terms) {
        *sum = *sum + x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::level::Kernel;

    struct Moments<'r>(&'r [f32]);

    impl Kernel<f32> for Moments<'_> {
        type Output = (f32, f64);

        #[inline(always)]
        fn run<N: Lane<f32>>(self) -> (f32, f64) {
            moments::<f32, N>(self.0)
        }
    }

    fn naive(row: &[f32]) -> (f64, f64) {
        let count = row.len() as f64;
        let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        (mean, row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count)
    }

    /// A hundred thousand times as far from zero as apart, the elements are rounded but their moments are
    /// those of what they are.
    #[test]
    fn moments_far_from_zero_are_exact_to_rounding() {
        for len in [1, 2, 15, 127, 129, 1000, 20_000] {
            for centre in [0.0, 3.0, -1e5] {
                let row: Vec<f32> =
                    (0..len).map(|i| centre + ((i * 7919) % 1009) as f32 / 504.5 - 1.0).collect();
                let ((mean, variance), (true_mean, true_variance)) =
                    (crate::run::level::dispatch(Moments(&row)), naive(&row));
                let off = (f64::from(mean) - true_mean).abs();
                assert!(
                    off <= 1e-7 * (true_mean.abs() + 1.0),
                    "{len} around {centre}: mean {mean}, not {true_mean}"
                );
                let off = (variance - true_variance).abs();
                assert!(
                    off <= 2e-6 * true_variance + 1e-12,
                    "{len} around {centre}: variance {variance}, not {true_variance}"
                );
            }
        }
    }

    #[test]
    fn elements_of_any_magnitude_have_their_variance() {
        for x in [1e-38f32, 1e-22, 1.0, 1e22, 1e38] {
            let row: Vec<f32> = (0..300).map(|i| if i % 2 == 0 { x } else { -x }).collect();
            let (mean, variance) = crate::run::level::dispatch(Moments(&row));
            assert!(
                mean.abs() <= 1e-7 * x && (variance.sqrt() / f64::from(x) - 1.0).abs() < 1e-6,
                "{x}: {variance}"
            );
        }
    }

    #[test]
    fn distances_of_equal_elements_are_zero_and_others_are_in_f64() {
        for len in [0, 1, 15, 17, 1000] {
            for x in [0.1, -7.3f64, 1e300, 5e-324] {
                assert_eq!(squared_distances(&vec![x; len]), 0.0, "{len} of {x}");
                assert_eq!(
                    squared_distances(&vec![x as f32; len]).is_finite(),
                    (x as f32).is_finite() || len == 0
                );
            }
        }
        let off = |got: f64, expected: f64| (got / expected - 1.0).abs();
        let row: Vec<f32> = (0..1001).map(|i| 1e6 + (i % 7) as f32).collect();
        let (_, variance) = naive(&row);
        assert!(off(squared_distances(&row), variance * 1001.0) < 1e-12);
        assert!(off(squared_distances(&[f32::MAX, -f32::MAX]), 2.0 * f64::from(f32::MAX).powi(2)) < 1e-12);
        assert_eq!(squared_distances(&[f64::MAX, -f64::MAX, f64::MAX]), f64::INFINITY);
        assert!(squared_distances(&[f64::INFINITY, 1.0]).is_nan());
    }

    #[test]
    fn norms_are_those_of_numbers_of_any_size() {
        for x in [5e-324, 1e-300, 1e-150, 1.0, 1e150, 1e300] {
            assert!((norm(&[3.0 * x, -4.0 * x, 0.0]) / (5.0 * x) - 1.0).abs() < 1e-15, "{x}");
        }
        assert!((norm(&[3e30f32, 4e30]) / 5e30 - 1.0).abs() < 1e-6);
        assert_eq!(norm::<f64>(&[]).to_bits(), 0);
        assert_eq!(norm(&[-0.0f64]).to_bits(), 0);
        assert_eq!(norm(&[1.0, f64::NEG_INFINITY]), f64::INFINITY);
        assert!(norm(&[f64::INFINITY, f64::NAN]).is_nan() && norm(&[0.0, f64::NAN]).is_nan());
    }

    #[test]
    fn equal_elements_have_next_to_no_variance_and_a_nan_has_its_way() {
        for x in [0.0, 0.1f32, -7.3, 1e30] {
            let (mean, variance) = crate::run::level::dispatch(Moments(&[x; 300]));
            let step = f64::from(x * f32::EPSILON);
            assert!(variance >= 0.0 && variance <= step * step, "{variance}");
            assert!((mean - x).abs() <= x.abs() * f32::EPSILON);
        }
        let (mean, variance) = crate::run::level::dispatch(Moments(&[1.0, f32::NAN, 2.0]));
        assert!(mean.is_nan() && variance.is_nan());
    }
}
