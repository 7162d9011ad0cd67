//! Cross-entropy of rows, and its way back.

use crate::number::Arithmetic;
use crate::real::Lane;
use crate::rows::softmax::{EXPONENTIAL, exponentials, multiples, shift};
use crate::run::divide::{Divisible, cut, cut_mut};
use crate::run::level::Kernel;

/// A target that [`CrossEntropy`] passes over.
pub const IGNORED: i64 = -1;

/// `ln(sum exp x) - x[target]` of each row of `width` elements; 0 where the target is [`IGNORED`].
pub struct CrossEntropy<'a, T> {
    /// The elements that are read, rows one behind the other.
    pub source: &'a [T],
    /// The class of each row, or what is ignored.
    pub targets: &'a [i64],
    /// The elements that are written: the loss of each row.
    pub out: &'a mut [T],
    /// The maximum of each row, and `1 / sum exp(x - maximum)`.
    pub statistics: &'a mut [T],
    /// The elements of a row.
    pub width: usize,
}

impl<T: Arithmetic> Kernel<T> for CrossEntropy<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        let statistics = self.statistics.as_chunks_mut::<2>().0;
        for (r, (out, statistics)) in self.out.iter_mut().zip(statistics).enumerate() {
            let target = self.targets[r];
            if target == IGNORED {
                (*out, *statistics) = (T::ZERO, [T::ZERO; 2]);
                continue;
            }
            let row = &self.source[r * self.width..(r + 1) * self.width];
            let max = shift(row);
            let total = exponentials::<T, N, false>(row, max, &mut []);
            *statistics = [max, T::from_f64(1.0 / total)];
            // The difference of the two large numbers first: it is exact where they are close.
            *out = T::from_f64(max.to_f64() - row[target as usize].to_f64() + total.ln());
        }
    }
}

impl<T: Arithmetic> Divisible for CrossEntropy<'_, T> {
    fn rows(&self) -> usize {
        self.out.len()
    }

    fn numbers(&self) -> usize {
        (2 + EXPONENTIAL) * self.out.len() * self.width
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let (source, targets) = (cut(self.source, rows, self.width), self.targets.split_at(rows));
        let (out, statistics) = (self.out.split_at_mut(rows), cut_mut(self.statistics, rows, 2));
        let width = self.width;
        (
            CrossEntropy {
                source: source.0,
                targets: targets.0,
                out: out.0,
                statistics: statistics.0,
                width,
            },
            CrossEntropy {
                source: source.1,
                targets: targets.1,
                out: out.1,
                statistics: statistics.1,
                width,
            },
        )
    }
}

/// The cotangents of [`CrossEntropy`]'s source from those of its results: `(softmax(x) - [target]) g`.
pub struct CrossEntropyBack<'a, T> {
    /// The elements that are read, rows one behind the other.
    pub source: &'a [T],
    /// The class of each row, or what is ignored.
    pub targets: &'a [i64],
    /// The numbers that the way forth kept of each row.
    pub statistics: &'a [T],
    /// The cotangent of the result.
    pub cotangent: &'a [T],
    /// The elements that are written: the cotangent of the source.
    pub out: &'a mut [T],
    /// The elements of a row.
    pub width: usize,
}

impl<T: Arithmetic> Kernel<T> for CrossEntropyBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        for (r, &target) in self.targets.iter().enumerate() {
            let at = r * self.width..(r + 1) * self.width;
            let (row, out) = (&self.source[at.clone()], &mut self.out[at]);
            if target == IGNORED {
                out.fill(T::ZERO);
                continue;
            }
            let g = self.cotangent[r];
            multiples::<T, N>(row, self.statistics[2 * r], self.statistics[2 * r + 1] * g, out);
            let hit = &mut out[target as usize];
            *hit = *hit - g;
        }
    }
}

impl<T: Arithmetic> Divisible for CrossEntropyBack<'_, T> {
    fn rows(&self) -> usize {
        self.targets.len()
    }

    fn numbers(&self) -> usize {
        (2 + EXPONENTIAL) * self.targets.len() * self.width
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let (source, out) = (cut(self.source, rows, self.width), cut_mut(self.out, rows, self.width));
        let (targets, cotangent) = (self.targets.split_at(rows), self.cotangent.split_at(rows));
        let (statistics, width) = (cut(self.statistics, rows, 2), self.width);
        let of = |source, targets, statistics, cotangent, out| CrossEntropyBack {
            source,
            targets,
            statistics,
            cotangent,
            out,
            width,
        };
        (
            of(source.0, targets.0, statistics.0, cotangent.0, out.0),
            of(source.1, targets.1, statistics.1, cotangent.1, out.1),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::softmax::tests::{ROWS, WIDTHS, naive, near, numbers};

    #[test]
    fn cross_entropy_agrees_with_naive_loops_at_odd_sizes() {
        for width in WIDTHS {
            let (source, cotangent) = (numbers(ROWS * width, 1), numbers(ROWS, 2));
            let targets = [width as i64 / 2, IGNORED, width as i64 - 1];
            let (mut losses, mut statistics) = (vec![f64::NAN; ROWS], vec![f64::NAN; 2 * ROWS]);
            crate::run::level::dispatch(CrossEntropy {
                source: &source,
                targets: &targets,
                out: &mut losses,
                statistics: &mut statistics,
                width,
            });
            let mut out = vec![f64::NAN; ROWS * width];
            crate::run::level::dispatch(CrossEntropyBack {
                source: &source,
                targets: &targets,
                statistics: &statistics,
                cotangent: &cotangent,
                out: &mut out,
                width,
            });
            for r in 0..ROWS {
                let at = r * width..(r + 1) * width;
                let (log, share) = naive(&source[at.clone()]);
                let kept = if targets[r] == IGNORED { 0.0 } else { 1.0 };
                let loss = source[at.clone()].get(targets[r] as usize).map_or(0.0, |picked| log - picked);
                near(&losses[r..=r], &[loss], &format!("a row of {width}"));
                let hit = |j: usize| if j as i64 == targets[r] { 1.0 } else { 0.0 };
                let expected = (0..width).map(|j| (share[j] - hit(j)) * cotangent[r] * kept);
                near(&out[at], &expected.collect::<Vec<_>>(), &format!("back to a row of {width}"));
            }
        }
    }
}
