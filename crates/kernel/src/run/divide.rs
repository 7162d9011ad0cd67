//! Kernels that the team can share.

use std::sync::{Mutex, PoisonError};

use smallvec::SmallVec;

use crate::number::Arithmetic;
use crate::run::level::{Kernel, dispatch};
use crate::run::team;

/// A [`Kernel`] that can be cut in two: over rows, or over elements, that have nothing to do with each
/// other.
pub trait Divisible: Sized + Send {
    /// How many rows or elements the kernel goes over.
    fn rows(&self) -> usize;

    /// How many numbers the kernel reads or writes, where an exponential counts as some: what its time is
    /// guessed from.
    fn numbers(&self) -> usize;

    /// The kernel of the first `rows`, and that of the others.
    fn split_at(self, rows: usize) -> (Self, Self);
}

/// Numbers in a nanosecond, a cautious guess.
const NUMBERS_IN_NANOSECOND: usize = 6;

/// Runs a kernel with the best instructions of the machine, by as many threads as it is worth
/// ([`set_num_threads`](super::team::set_num_threads)).
///
/// ```
/// use wengert_core::{Divisible, Float, Kernel, Lane, dispatch_shared};
///
/// /// `y *= 2`.
/// struct Double<'k, T>(&'k mut [T]);
///
/// impl<T: Float> Kernel<T> for Double<'_, T> {
///     type Output = ();
///     #[inline(always)]
///     fn run<N: Lane<T>>(self) {
///         for y in self.0 {
///             *y = *y + *y;
///         }
///     }
/// }
///
/// impl<T: Float> Divisible for Double<'_, T> {
///     fn rows(&self) -> usize { self.0.len() }
///     fn numbers(&self) -> usize { 2 * self.0.len() }
///     fn split_at(self, rows: usize) -> (Self, Self) {
///         let (first, others) = self.0.split_at_mut(rows);
///         (Double(first), Double(others))
///     }
/// }
///
/// let mut y = vec![1.0f32; 1 << 20];
/// dispatch_shared(Double(&mut y));
/// assert!(y.iter().all(|&y| y == 2.0));
/// ```
pub fn dispatch_shared<T: Arithmetic, K: Kernel<T, Output = ()> + Divisible>(kernel: K) {
    let parts = parts(&kernel);
    if parts <= 1 { dispatch(kernel) } else { dispatch_in(parts, kernel) }
}

fn parts(kernel: &impl Divisible) -> usize {
    team::parts_worth(kernel.numbers() / NUMBERS_IN_NANOSECOND).min(kernel.rows())
}

/// Whether a kernel would be several threads' work now.
pub fn is_shared(kernel: &impl Divisible) -> bool {
    parts(kernel) > 1
}

/// In so many parts, two or more.
fn dispatch_in<T: Arithmetic, K: Kernel<T, Output = ()> + Divisible>(parts: usize, kernel: K) {
    let rows = kernel.rows();
    let mut pieces: SmallVec<[Mutex<Option<K>>; 8]> = SmallVec::new();
    let mut rest = kernel;
    for part in 1..parts {
        let (piece, others) = rest.split_at(team::range(part - 1, parts, rows).len());
        pieces.push(Mutex::new(Some(piece)));
        rest = others;
    }
    pieces.push(Mutex::new(Some(rest)));
    team::share(parts, |part| {
        let piece = pieces[part].lock().unwrap_or_else(PoisonError::into_inner).take();
        dispatch(piece.expect("each part is taken once"));
    });
}

/// The first `rows` rows of `width` elements, and the others.
pub fn cut<T>(rows: &[T], at: usize, width: usize) -> (&[T], &[T]) {
    rows.split_at(at * width)
}

/// [`cut`], to be written.
pub fn cut_mut<T>(rows: &mut [T], at: usize, width: usize) -> (&mut [T], &mut [T]) {
    rows.split_at_mut(at * width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::dims::Dims;
    use crate::memory::layout::Layout;
    use crate::memory::view::View;
    use crate::rows::copy::Joined;
    use crate::rows::cross_entropy::{CrossEntropy, CrossEntropyBack, IGNORED};
    use crate::rows::layer_norm::{Normalise, NormaliseAffine, NormaliseBack};
    use crate::rows::reduce::Sum;
    use crate::rows::softmax::{LogSumExp, OverRows, OverRowsBack, RowFunction};

    const ROWS: usize = 11;
    const WIDTH: usize = 65;

    fn numbers(seed: usize) -> Vec<f32> {
        (0..ROWS * WIDTH).map(|i| ((i * 7919 + seed * 104_729 + i * i) % 1009) as f32 / 100.9 - 5.0).collect()
    }

    /// Runs a kernel that writes to its argument alone and in parts, and compares the bits.
    macro_rules! same_in_parts {
        (|$out:ident| $kernel:expr) => {
            let run = |parts: usize| {
                let mut memory = vec![0.0f32; ROWS * WIDTH];
                let $out = &mut memory[..];
                let kernel = $kernel;
                if parts == 1 {
                    dispatch(kernel)
                } else {
                    dispatch_in(parts, kernel)
                }
                memory.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            let alone = run(1);
            for parts in [2, 3, 5] {
                assert!(run(parts) == alone, "{} in {parts} parts", stringify!($kernel));
            }
        };
    }

    #[test]
    fn parts_make_the_whole() {
        let [source, cotangent, result] = [1, 2, 3].map(numbers);
        let (source, cotangent, result) = (&source[..], &cotangent[..], &result[..]);
        let (weight, bias) = (&cotangent[..WIDTH], &result[..WIDTH]);
        let (width, eps) = (WIDTH, 0.1);
        let targets: Vec<i64> = (0..ROWS as i64).map(|r| if r == 4 { IGNORED } else { r * 5 }).collect();
        let statistics = &result[..2 * ROWS];
        for function in [RowFunction::Softmax, RowFunction::LogSoftmax] {
            same_in_parts!(|out| OverRows { function, source, out, width });
            same_in_parts!(|out| OverRowsBack { function, result, cotangent, out, width });
        }
        same_in_parts!(|out| LogSumExp { source, out: &mut out[..ROWS], width });
        same_in_parts!(|out| {
            let (out, statistics) = out.split_at_mut(ROWS);
            CrossEntropy { source, targets: &targets, out, statistics: &mut statistics[..2 * ROWS], width }
        });
        same_in_parts!(|out| CrossEntropyBack {
            source,
            targets: &targets,
            statistics,
            cotangent,
            out,
            width
        });
        same_in_parts!(|out| NormaliseBack { source, weight, cotangent, statistics, out });
        same_in_parts!(|out| {
            let (of_weight, of_bias) = out[..2 * WIDTH].split_at_mut(WIDTH);
            NormaliseAffine { source, cotangent, statistics, first: 0, width, of_weight, of_bias }
        });
        let mut kept = vec![0.0; 2 * ROWS];
        dispatch(Normalise { source, weight, bias, out: &mut numbers(0), statistics: &mut kept, eps });
        same_in_parts!(|out| {
            Normalise { source, weight, bias, out, statistics: Box::leak(kept.clone().into()), eps }
        });
        same_in_parts!(|out| Sum { source, out: &mut out[..ROWS], reduced: WIDTH, inner: 1 });
        // Of different sizes, one without elements.
        let layouts = [[2, 3], [3, 4], [5, 0], [1, 7], [4, 4], [2, 2]]
            .map(|shape| Layout::new(0, Dims::from(&shape[..]), Dims::from(&[1, 9][..])));
        let parts = layouts.each_ref().map(|layout| View::of(source, layout));
        let len = layouts.iter().map(|layout| layout.shape().count()).sum();
        same_in_parts!(|out| Joined { parts: &parts, out: &mut out[..len] });
        same_in_parts!(|out| Sum { source, out: &mut out[..ROWS * 5], reduced: 13, inner: 5 });
    }
}
