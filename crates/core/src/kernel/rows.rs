//! Functions of whole rows: softmax and its kin.

use super::level::Kernel;
use crate::element::Float;
use crate::real::Lane;

/// What a row of numbers is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowFunction {
    Softmax,
    LogSoftmax,
}

/// A function of each row of `width` elements; shifted by the row's maximum, so that no exponential overflows.
pub(crate) struct Rows<'a, T> {
    pub(crate) function: RowFunction,
    pub(crate) source: &'a [T],
    pub(crate) out: &'a mut [T],
    pub(crate) width: usize,
}

impl<T: Float> Kernel<T> for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        if self.width == 0 {
            return;
        }
        for (row, out) in self.source.chunks_exact(self.width).zip(self.out.chunks_exact_mut(self.width)) {
            let max = shift(row);
            let total = exponentials::<T, N>(row, max, out);
            match self.function {
                RowFunction::Softmax => {
                    let scale = T::from_f64(1.0 / total);
                    out.iter_mut().for_each(|y| *y = *y * scale);
                }
                RowFunction::LogSoftmax => {
                    let shift = T::from_f64(max.to_f64() + total.ln());
                    row.iter().zip(out).for_each(|(&x, y)| *y = x - shift);
                }
            }
        }
    }
}

/// `ln(sum exp x)` of each row of `width` elements.
pub(crate) struct LogSumExp<'a, T> {
    pub(crate) source: &'a [T],
    pub(crate) out: &'a mut [T],
    pub(crate) width: usize,
}

impl<T: Float> Kernel<T> for LogSumExp<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        let mut scratch = vec![T::ZERO; self.width];
        for (o, y) in self.out.iter_mut().enumerate() {
            let row = &self.source[o * self.width..(o + 1) * self.width];
            let max = shift(row);
            let total = exponentials::<T, N>(row, max, &mut scratch);
            *y = T::from_f64(max.to_f64() + total.ln());
        }
    }
}

/// The row's maximum, or 0 where that is infinite and would make the difference NaN.
#[inline(always)]
fn shift<T: Float>(row: &[T]) -> T {
    let mut lanes = [T::from_f64(f64::NEG_INFINITY); 16];
    let groups = row.chunks_exact(16);
    let rest = groups.remainder();
    for group in groups {
        for l in 0..16 {
            lanes[l] = if group[l] > lanes[l] { group[l] } else { lanes[l] };
        }
    }
    let max = lanes.iter().chain(rest).fold(f64::NEG_INFINITY, |max, x| max.max(x.to_f64()));
    T::from_f64(if max.is_infinite() && max < 0.0 { 0.0 } else { max })
}

/// `out = exp(row - max)`; gives the sum.
#[inline(always)]
fn exponentials<T: Float, N: Lane<T>>(row: &[T], max: T, out: &mut [T]) -> f64 {
    for (y, &x) in out.iter_mut().zip(row) {
        *y = N::wrap(x - max).exp().unwrap();
    }
    let mut total = 0.0;
    for chunk in out.chunks(1024) {
        let mut lanes = [T::ZERO; 16];
        let groups = chunk.chunks_exact(16);
        let rest = groups.remainder();
        for group in groups {
            for l in 0..16 {
                lanes[l] = lanes[l] + group[l];
            }
        }
        total += lanes.iter().chain(rest).map(|x| x.to_f64()).sum::<f64>();
    }
    total
}

/// `(x - mean) / sqrt(variance + eps)` of each row, the variance biased.
pub(crate) struct Normalise<'a, T> {
    pub(crate) source: &'a [T],
    pub(crate) out: &'a mut [T],
    pub(crate) width: usize,
    pub(crate) eps: f64,
}

impl<T: Float> Kernel<T> for Normalise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        if self.width == 0 {
            return;
        }
        let n = self.width as f64;
        for (row, out) in self.source.chunks_exact(self.width).zip(self.out.chunks_exact_mut(self.width)) {
            let mean = T::from_f64(row.iter().map(|x| x.to_f64()).sum::<f64>() / n);
            let variance = row.iter().map(|&x| (x - mean).to_f64().powi(2)).sum::<f64>() / n;
            let scale = T::from_f64(1.0 / (variance + self.eps).sqrt());
            out.iter_mut().zip(row).for_each(|(y, &x)| *y = (x - mean) * scale);
        }
    }
}
