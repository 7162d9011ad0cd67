//! Sums and extremes over axes of row-major memory, in an order that depends on the shape alone.

use crate::number::{Arithmetic, Number};
use crate::real::Lane;
use crate::rows::lanes::{self, ROWS_OF_GROUP, Tree};
use crate::run::divide::{Divisible, cut, cut_mut};
use crate::run::level::Kernel;

/// `out[o, i] = sum over r of source[o, r, i]`.
pub struct Sum<'a, T> {
    /// The elements that are read, rows one behind the other.
    pub source: &'a [T],
    /// The elements that are written: the sums.
    pub out: &'a mut [T],
    /// How many elements are summed to one.
    pub reduced: usize,
    /// How many elements lie between those that are summed to one.
    pub inner: usize,
}

impl<T: Arithmetic> Kernel<T> for Sum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        let Sum { source, out, reduced, inner } = self;
        if out.is_empty() {
            return;
        }
        let block = (reduced * inner).max(1);
        if reduced == 0 {
            out.fill(T::ZERO);
        } else if inner == 1 {
            source.chunks_exact(block).zip(out).for_each(|(row, sum)| *sum = T::from_f64(lanes::sum(row)));
        } else {
            for (block, sum) in source.chunks_exact(block).zip(out.chunks_exact_mut(inner)) {
                sum_columns(block, sum);
            }
        }
    }
}

impl<T: Arithmetic> Divisible for Sum<'_, T> {
    fn rows(&self) -> usize {
        self.out.len().checked_div(self.inner).unwrap_or(0)
    }

    fn numbers(&self) -> usize {
        self.source.len()
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let source = cut(self.source, rows, self.reduced * self.inner);
        let out = cut_mut(self.out, rows, self.inner);
        (Sum { source: source.0, out: out.0, ..self }, Sum { source: source.1, out: out.1, ..self })
    }
}

/// A statistic that is made of the squares of a row's elements, in f64.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Square {
    /// The sum of squared distances from the mean, over a divisor.
    Variance(f64),
    /// The root of the sum of squared distances from the mean, over a divisor.
    Deviation(f64),
    /// The root of the sum of squares.
    Norm,
}

/// A statistic of each row of `width` elements.
pub struct Squares<'a, T> {
    /// The statistic.
    pub square: Square,
    /// The elements that are read, rows one behind the other.
    pub source: &'a [T],
    /// The elements that are written: the statistic of each row.
    pub out: &'a mut [T],
    /// The elements of a row.
    pub width: usize,
}

impl<T: Arithmetic> Kernel<T> for Squares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        for (o, statistic) in self.out.iter_mut().enumerate() {
            let row = &self.source[o * self.width..(o + 1) * self.width];
            *statistic = T::from_f64(match self.square {
                Square::Variance(divisor) => lanes::squared_distances(row) / divisor,
                Square::Deviation(divisor) => (lanes::squared_distances(row) / divisor).sqrt(),
                Square::Norm => lanes::norm(row),
            });
        }
    }
}

impl<T: Arithmetic> Divisible for Squares<'_, T> {
    fn rows(&self) -> usize {
        self.out.len()
    }

    fn numbers(&self) -> usize {
        2 * self.source.len()
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let (source, out) = (cut(self.source, rows, self.width), self.out.split_at_mut(rows));
        (Squares { source: source.0, out: out.0, ..self }, Squares { source: source.1, out: out.1, ..self })
    }
}

/// Column sums of `block`'s rows; many rows in a binary tree over groups of them.
#[inline(always)]
fn sum_columns<T: Arithmetic>(block: &[T], sum: &mut [T]) {
    let inner = sum.len();
    let mut tree = Tree::new();
    let groups = (block.len() / inner).div_ceil(ROWS_OF_GROUP);
    for rows in block.chunks(ROWS_OF_GROUP * inner).take(groups - 1) {
        add_rows(rows, sum);
        tree.push(sum);
    }
    add_rows(&block[(groups - 1) * ROWS_OF_GROUP * inner..], sum);
    tree.finish(sum);
}

#[inline(always)]
fn add_rows<T: Arithmetic>(rows: &[T], sum: &mut [T]) {
    let mut rows = rows.chunks_exact(sum.len());
    sum.copy_from_slice(rows.next().expect("at least one row"));
    for row in rows {
        lanes::add(sum, row);
    }
}

/// The best of `source[o, .., i]` for each `o, i`, and its first place; a NaN is best of all, as in PyTorch.
pub fn best<T: Number>(
    source: &[T],
    reduced: usize,
    inner: usize,
    better: impl Fn(T, T) -> bool,
    values: &mut [T],
    places: &mut [i64],
) {
    for (n, (value, place)) in values.iter_mut().zip(places).enumerate() {
        let start = n / inner * reduced * inner + n % inner;
        (*value, *place) = (source[start], 0);
        for r in 1..reduced {
            let x = source[start + r * inner];
            let is_nan = |x: T| x.partial_cmp(&x).is_none();
            if !is_nan(*value) && (is_nan(x) || better(x, *value)) {
                (*value, *place) = (x, r as i64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(source: &[f32], outer: usize, reduced: usize, inner: usize) -> Vec<f32> {
        let mut out = vec![f32::NAN; outer * inner];
        crate::run::level::dispatch(Sum { source, out: &mut out, reduced, inner });
        out
    }

    #[test]
    fn agrees_with_a_naive_sum_at_odd_sizes() {
        for (outer, reduced, inner) in
            [(1, 1, 1), (3, 5, 1), (2, 1100, 1), (2, 7, 3), (1, 300, 5), (2, 0, 2), (0, 3, 2)]
        {
            let source: Vec<f32> = (0..outer * reduced * inner).map(|i| (i % 17) as f32 - 8.0).collect();
            let naive = |n: usize| -> f32 {
                (0..reduced).map(|r| source[n / inner * reduced * inner + r * inner + n % inner]).sum()
            };
            let expected: Vec<f32> = (0..outer * inner).map(naive).collect();
            assert_eq!(sum(&source, outer, reduced, inner), expected, "{outer} {reduced} {inner}");
        }
    }

    #[test]
    fn long_sums_keep_their_digits() {
        let tenths = vec![0.1f32; 1 << 20];
        let off = |sum: f32, count: f64| (f64::from(sum) / (f64::from(0.1f32) * count) - 1.0).abs();
        assert!(off(sum(&tenths, 1, 1 << 20, 1)[0], (1 << 20) as f64) < 2e-7);
        assert!(off(sum(&tenths, 1, 1 << 19, 2)[0], (1 << 19) as f64) < 1e-5);
    }

    #[test]
    fn the_first_best_wins_and_nan_beats_all() {
        let (mut values, mut places) = (vec![0.0; 2], vec![0; 2]);
        best(&[1.0, 3.0, 3.0, 2.0, f64::NAN, 9.0], 3, 1, |a, b| a > b, &mut values, &mut places);
        assert_eq!((values[0], places), (3.0, vec![1, 1]));
        assert!(values[1].is_nan());
    }
}
