//! Which instructions this machine has, asked once; kernels are compiled for each level.

use std::sync::OnceLock;

use crate::number::Arithmetic;
use crate::real::Lane;

/// The instruction sets that kernels are compiled for, ascending.
#[cfg_attr(miri, allow(dead_code, reason = "an interpreter has the portable one alone"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// The instructions that every machine of this kind has.
    Portable,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 (F, VL, DQ, BW).
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The best level of this machine; `WENGERT_SIMD=portable` or `avx2` asks for less.
#[inline]
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| match std::env::var("WENGERT_SIMD").as_deref() {
        Ok("portable") => Level::Portable,
        #[cfg(target_arch = "x86_64")]
        Ok("avx2") => detect().min(Level::Avx2),
        _ => detect(),
    })
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn detect() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        _ => Level::Portable,
    }
}

#[cfg(any(not(target_arch = "x86_64"), miri))]
fn detect() -> Level {
    Level::Portable
}

/// A loop over memory that is compiled for every instruction set; `Float::dispatch` runs it with
/// the best one that the machine has.
///
/// `run` and all it calls must be `#[inline(always)]`, so that it is compiled inside a function with the
/// instructions. It is generic over the [`Lane`] it computes with: plain numbers on the portable path,
/// [`Fused`](crate::real::Fused) ones where a multiply-add is an instruction. Numbers that are not wrapped
/// in one give the same bits everywhere.
///
/// ```
/// use wengert_core::{Float, Kernel, Lane};
///
/// /// `y += a x`.
/// struct AddMultiple<'k, T> {
///     a: T,
///     x: &'k [T],
///     y: &'k mut [T],
/// }
///
/// impl<T: Float> Kernel<T> for AddMultiple<'_, T> {
///     type Output = ();
///     #[inline(always)]
///     fn run<N: Lane<T>>(self) {
///         for (y, &x) in self.y.iter_mut().zip(self.x) {
///             *y = N::wrap(self.a).mul_add(N::wrap(x), N::wrap(*y)).unwrap();
///         }
///     }
/// }
///
/// let mut y = [1.0f32; 3];
/// f32::dispatch(AddMultiple { a: 2.0, x: &[1.0, 2.0, 3.0], y: &mut y });
/// assert_eq!(y, [3.0, 5.0, 7.0]);
/// ```
pub trait Kernel<T> {
    /// The result of a run.
    type Output;
    /// The loop.
    fn run<N: Lane<T>>(self) -> Self::Output;
}

/// Runs a kernel with the best instructions of this machine.
#[inline]
pub fn dispatch<T, K>(kernel: K) -> K::Output
where
    T: Arithmetic,
    K: Kernel<T>,
{
    match level() {
        Level::Portable => portable(kernel),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `level` found these instructions on this machine.
        Level::Avx2 => unsafe { with_avx2(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx512 => unsafe { with_avx512(kernel) },
    }
}

/// [`dispatch`] on levels with vectors of their own; none on the portable one, for which the kernel is not
/// compiled.
#[inline]
#[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables, reason = "there is the portable one alone"))]
pub(crate) fn dispatch_vectors<T, K>(kernel: K) -> Option<K::Output>
where
    T: Arithmetic,
    K: Kernel<T>,
{
    match level() {
        Level::Portable => None,
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `level` found these instructions on this machine.
        Level::Avx2 => Some(unsafe { with_avx2(kernel) }),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx512 => Some(unsafe { with_avx512(kernel) }),
    }
}

/// A function of its own, like those of the other levels, so that choosing one is all that is compiled into
/// whoever runs a kernel.
#[inline(never)]
fn portable<T: Lane<T>, K: Kernel<T>>(kernel: K) -> K::Output {
    kernel.run::<T>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<T: Arithmetic, K: Kernel<T>>(kernel: K) -> K::Output {
    kernel.run::<T::Fused>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn with_avx512<T: Arithmetic, K: Kernel<T>>(kernel: K) -> K::Output {
    kernel.run::<T::Fused>()
}
