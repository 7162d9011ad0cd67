//! Functions of whole rows: softmax and its kin, and their ways back.

use crate::number::Arithmetic;
use crate::real::Lane;
use crate::rows::lanes::{self, CHUNK, LANES};
use crate::run::divide::{Divisible, cut, cut_mut};
use crate::run::level::Kernel;

/// A function that turns a row of numbers into another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowFunction {
    /// `e^x / sum e^x`.
    Softmax,
    /// `ln(e^x / sum e^x)`.
    LogSoftmax,
}

/// A function of each row of `width` elements; shifted by the row's maximum, so that no exponential
/// overflows.
pub struct OverRows<'a, T> {
    /// The function that each row goes through.
    pub function: RowFunction,
    /// The elements that are read, rows one behind the other.
    pub source: &'a [T],
    /// The elements that are written: the function of each row.
    pub out: &'a mut [T],
    /// The elements of a row.
    pub width: usize,
}

impl<T: Arithmetic> Kernel<T> for OverRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        if self.width == 0 {
            return;
        }
        for (row, out) in self.source.chunks_exact(self.width).zip(self.out.chunks_exact_mut(self.width)) {
            let max = shift(row);
            match self.function {
                RowFunction::Softmax => {
                    let total = exponentials::<T, N, true>(row, max, out);
                    scale(out, T::from_f64(1.0 / total));
                }
                RowFunction::LogSoftmax => {
                    let total = exponentials::<T, N, false>(row, max, &mut []);
                    // The difference of the two large numbers first: it is exact where they are close.
                    let log = T::from_f64(total.ln());
                    for (y, &x) in out.iter_mut().zip(row) {
                        *y = x - max - log;
                    }
                }
            }
        }
    }
}

/// What an exponential counts for beside a number read or written.
pub(crate) const EXPONENTIAL: usize = 4;

impl<T: Arithmetic> Divisible for OverRows<'_, T> {
    fn rows(&self) -> usize {
        self.source.len().checked_div(self.width).unwrap_or(0)
    }

    fn numbers(&self) -> usize {
        (3 + EXPONENTIAL) * self.source.len()
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let (source, out) = (cut(self.source, rows, self.width), cut_mut(self.out, rows, self.width));
        (OverRows { source: source.0, out: out.0, ..self }, OverRows { source: source.1, out: out.1, ..self })
    }
}

/// The cotangents of [`OverRows`]' sources from its results and their cotangents.
pub struct OverRowsBack<'a, T> {
    /// The function that each row goes through.
    pub function: RowFunction,
    /// The result of the way forth.
    pub result: &'a [T],
    /// The cotangent of the result.
    pub cotangent: &'a [T],
    /// The elements that are written: the cotangent of the source.
    pub out: &'a mut [T],
    /// The elements of a row.
    pub width: usize,
}

impl<T: Arithmetic> Kernel<T> for OverRowsBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        if self.width == 0 {
            return;
        }
        let rows = self.result.chunks_exact(self.width).zip(self.cotangent.chunks_exact(self.width));
        for ((row, g), out) in rows.zip(self.out.chunks_exact_mut(self.width)) {
            match self.function {
                RowFunction::Softmax => {
                    let level = T::from_f64(lanes::dot(row, g));
                    for (out, (&y, &g)) in out.iter_mut().zip(row.iter().zip(g)) {
                        *out = y * (g - level);
                    }
                }
                RowFunction::LogSoftmax => {
                    multiples::<T, N>(row, T::ZERO, T::from_f64(-lanes::sum(g)), out);
                    lanes::add(out, g);
                }
            }
        }
    }
}

impl<T: Arithmetic> Divisible for OverRowsBack<'_, T> {
    fn rows(&self) -> usize {
        self.result.len().checked_div(self.width).unwrap_or(0)
    }

    fn numbers(&self) -> usize {
        (5 + EXPONENTIAL) * self.result.len()
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let result = cut(self.result, rows, self.width);
        let cotangent = cut(self.cotangent, rows, self.width);
        let out = cut_mut(self.out, rows, self.width);
        (
            OverRowsBack { result: result.0, cotangent: cotangent.0, out: out.0, ..self },
            OverRowsBack { result: result.1, cotangent: cotangent.1, out: out.1, ..self },
        )
    }
}

/// `ln(sum exp x)` of each row of `width` elements.
pub struct LogSumExp<'a, T> {
    /// The elements that are read, rows one behind the other.
    pub source: &'a [T],
    /// The elements that are written: one for each row.
    pub out: &'a mut [T],
    /// The elements of a row.
    pub width: usize,
}

impl<T: Arithmetic> Kernel<T> for LogSumExp<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        for (o, y) in self.out.iter_mut().enumerate() {
            let row = &self.source[o * self.width..(o + 1) * self.width];
            let max = shift(row);
            // An infinite element is its own exponential; less the maximum it would be NaN.
            let max = if max == T::from_f64(f64::INFINITY) { T::ZERO } else { max };
            let total = exponentials::<T, N, false>(row, max, &mut []);
            *y = T::from_f64(max.to_f64() + total.ln());
        }
    }
}

impl<T: Arithmetic> Divisible for LogSumExp<'_, T> {
    fn rows(&self) -> usize {
        self.out.len()
    }

    fn numbers(&self) -> usize {
        (2 + EXPONENTIAL) * self.source.len()
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let (source, out) = (cut(self.source, rows, self.width), self.out.split_at_mut(rows));
        (
            LogSumExp { source: source.0, out: out.0, ..self },
            LogSumExp { source: source.1, out: out.1, ..self },
        )
    }
}

/// The row's maximum, or 0 where all of it is negative infinity, whose difference would be NaN.
#[inline(always)]
pub(crate) fn shift<T: Arithmetic>(row: &[T]) -> T {
    let lowest = T::from_f64(f64::NEG_INFINITY);
    let mut lanes = [lowest; LANES];
    let (groups, rest) = row.as_chunks::<LANES>();
    for group in groups {
        for l in 0..LANES {
            lanes[l] = if group[l] > lanes[l] { group[l] } else { lanes[l] };
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = if x > *lane { x } else { *lane };
    }
    let max = lanes::largest(&lanes);
    if max == lowest { T::ZERO } else { max }
}

/// `exp(x - max)` of a group.
#[inline(always)]
fn group<T: Arithmetic, N: Lane<T>>(x: &[T; LANES], max: T) -> [T; LANES] {
    let mut y = [T::ZERO; LANES];
    for l in 0..LANES {
        y[l] = N::wrap(x[l] - max).exp().unwrap();
    }
    y
}

/// A group that is not whole, filled up.
#[inline(always)]
fn padded<T: Arithmetic>(rest: &[T], with: T) -> [T; LANES] {
    let mut group = [with; LANES];
    group[..rest.len()].copy_from_slice(rest);
    group
}

/// The sum of `exp(row - max)`, and these themselves in `out` if it is to `STORE` them.
#[inline(always)]
pub(crate) fn exponentials<T: Arithmetic, N: Lane<T>, const STORE: bool>(
    row: &[T],
    max: T,
    out: &mut [T],
) -> f64 {
    let mut total = 0.0;
    for (c, chunk) in row.chunks(CHUNK).enumerate() {
        let mut lanes = [T::ZERO; LANES];
        let (groups, rest) = chunk.as_chunks::<LANES>();
        let out = if STORE { &mut out[c * CHUNK..c * CHUNK + chunk.len()] } else { &mut [] };
        let (outs, out_rest) = out.as_chunks_mut::<LANES>();
        for (i, x) in groups.iter().enumerate() {
            let y = group::<T, N>(x, max);
            for l in 0..LANES {
                lanes[l] = lanes[l] + y[l];
            }
            if STORE {
                outs[i] = y;
            }
        }
        if !rest.is_empty() {
            let y = group::<T, N>(&padded(rest, max), max);
            for l in 0..rest.len() {
                lanes[l] = lanes[l] + y[l];
            }
            if STORE {
                out_rest.copy_from_slice(&y[..rest.len()]);
            }
        }
        total += lanes::folded(&lanes);
    }
    total
}

/// `out = exp(row - max) factor`.
#[inline(always)]
pub(crate) fn multiples<T: Arithmetic, N: Lane<T>>(row: &[T], max: T, factor: T, out: &mut [T]) {
    let (groups, rest) = row.as_chunks::<LANES>();
    let (outs, out_rest) = out.as_chunks_mut::<LANES>();
    for (x, out) in groups.iter().zip(outs) {
        let y = group::<T, N>(x, max);
        for l in 0..LANES {
            out[l] = y[l] * factor;
        }
    }
    if !rest.is_empty() {
        let mut y = group::<T, N>(&padded(rest, max), max);
        scale(&mut y, factor);
        out_rest.copy_from_slice(&y[..rest.len()]);
    }
}

#[inline(always)]
fn scale<T: Arithmetic>(row: &mut [T], factor: T) {
    for x in row {
        *x = *x * factor;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const WIDTHS: [usize; 10] = [1, 3, 15, 16, 17, 63, 65, 1000, 1024, 2051];
    pub(crate) const ROWS: usize = 3;

    /// Numbers without a pattern, in [-5, 5).
    pub(crate) fn numbers(len: usize, seed: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 7919 + seed * 104_729 + i * i) % 1009) as f64 / 100.9 - 5.0).collect()
    }

    pub(crate) fn near(got: &[f64], expected: &[f64], what: &str) {
        assert_eq!(got.len(), expected.len(), "{what}");
        for (i, (a, b)) in got.iter().zip(expected).enumerate() {
            assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{what}: element {i} is {a}, expected {b}");
        }
    }

    /// For each row the logarithm of the sum, and the shares of its elements.
    pub(crate) fn naive(row: &[f64]) -> (f64, Vec<f64>) {
        let total: f64 = row.iter().map(|x| x.exp()).sum();
        (total.ln(), row.iter().map(|x| x.exp() / total).collect())
    }

    fn function(function: RowFunction, source: &[f64], width: usize) -> Vec<f64> {
        let mut out = vec![f64::NAN; source.len()];
        crate::run::level::dispatch(OverRows { function, source, out: &mut out, width });
        out
    }

    fn back(function: RowFunction, result: &[f64], cotangent: &[f64], width: usize) -> Vec<f64> {
        let mut out = vec![f64::NAN; result.len()];
        crate::run::level::dispatch(OverRowsBack { function, result, cotangent, out: &mut out, width });
        out
    }

    #[test]
    fn softmax_and_its_logarithm_agree_with_naive_loops_at_odd_sizes() {
        for width in WIDTHS {
            let (source, cotangent) = (numbers(ROWS * width, 1), numbers(ROWS * width, 2));
            let shares = function(RowFunction::Softmax, &source, width);
            let logs = function(RowFunction::LogSoftmax, &source, width);
            let from_shares = back(RowFunction::Softmax, &shares, &cotangent, width);
            let from_logs = back(RowFunction::LogSoftmax, &logs, &cotangent, width);
            let mut sums = vec![f64::NAN; ROWS];
            crate::run::level::dispatch(LogSumExp { source: &source, out: &mut sums, width });
            for r in 0..ROWS {
                let at = r * width..(r + 1) * width;
                let (x, g) = (&source[at.clone()], &cotangent[at.clone()]);
                let (log, share) = naive(x);
                let of = |f: &dyn Fn(usize) -> f64| (0..width).map(f).collect::<Vec<_>>();
                near(&sums[r..=r], &[log], &format!("logsumexp of {width}"));
                near(&shares[at.clone()], &share, &format!("softmax of {width}"));
                near(&logs[at.clone()], &of(&|j| x[j] - log), &format!("log_softmax of {width}"));
                let (level, total) =
                    ((0..width).map(|j| share[j] * g[j]).sum::<f64>(), g.iter().sum::<f64>());
                let expected = of(&|j| share[j] * (g[j] - level));
                near(&from_shares[at.clone()], &expected, &format!("back from softmax of {width}"));
                let expected = of(&|j| g[j] - share[j] * total);
                near(&from_logs[at], &expected, &format!("back from log_softmax of {width}"));
            }
        }
    }

    #[test]
    fn rows_of_infinite_numbers_are_what_their_limits_are() {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        assert_eq!(function(RowFunction::Softmax, &[low, 1.0, low, 1.0], 4), [0.0, 0.5, 0.0, 0.5]);
        assert!(function(RowFunction::Softmax, &[low, low], 2).iter().all(|y| y.is_nan()));
        assert!(function(RowFunction::LogSoftmax, &[0.0, high], 2).iter().all(|y| y.is_nan() || *y == low));
        let mut out = [0.0];
        for (row, sum) in [([low, low], low), ([high, 1.0], high), ([high, high], high), ([low, high], high)]
        {
            crate::run::level::dispatch(LogSumExp { source: &row, out: &mut out, width: 2 });
            assert_eq!(out, [sum], "{row:?}");
        }
        crate::run::level::dispatch(LogSumExp { source: &[high, f64::NAN], out: &mut out, width: 2 });
        assert!(out[0].is_nan());
    }
}
