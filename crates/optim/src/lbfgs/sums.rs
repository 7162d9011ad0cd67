//! Passes over all elements, summed in double precision.

use wengert_core::Float;

/// How many sums go side by side, since one alone waits for itself.
const SUMS: usize = 8;

pub(super) fn dot<A: Float, B: Float>(a: &[A], b: &[B]) -> f64 {
    let ((a, a_end), (b, b_end)) = (a.as_chunks::<SUMS>(), b.as_chunks::<SUMS>());
    let mut sums = [0.0; SUMS];
    for (a, b) in a.iter().zip(b) {
        (0..SUMS).for_each(|lane| sums[lane] += a[lane].to_f64() * b[lane].to_f64());
    }
    let end: f64 = a_end.iter().zip(b_end).map(|(a, b)| a.to_f64() * b.to_f64()).sum();
    sums.iter().sum::<f64>() + end
}

/// Adds `factor * other`; gives the outcome's product with `with`, of none 0.
pub(super) fn add_and_dot<T: Float>(to: &mut [f64], factor: f64, other: &[T], with: Option<&Vec<T>>) -> f64 {
    let Some(with) = with else {
        to.iter_mut().zip(other).for_each(|(to, other)| *to += factor * other.to_f64());
        return 0.0;
    };
    let mut sums = [0.0; SUMS];
    let (to, to_end) = to.as_chunks_mut::<SUMS>();
    let ((other, other_end), (with, with_end)) = (other.as_chunks::<SUMS>(), with.as_chunks::<SUMS>());
    for ((to, other), with) in to.iter_mut().zip(other).zip(with) {
        for lane in 0..SUMS {
            to[lane] += factor * other[lane].to_f64();
            sums[lane] += to[lane] * with[lane].to_f64();
        }
    }
    let mut end = 0.0;
    for ((to, other), with) in to_end.iter_mut().zip(other_end).zip(with_end) {
        *to += factor * other.to_f64();
        end += *to * with.to_f64();
    }
    sums.iter().sum::<f64>() + end
}

/// The largest magnitude.
pub(super) fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |max, x| x.abs().max(max))
}
