//! The one seam that every matrix product goes through.

use std::cell::RefCell;
use std::fmt::Debug;
use std::ops::Range;

use self::product::{Extents, Product};
use self::threads::Address;
use crate::memory::buffer::AlignedBuffer;
use crate::memory::refusal::refuse;
use crate::number::Number;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use crate::run::level;

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod ahead;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod blocks;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod direct;
#[cfg(test)]
mod guard_tests;
mod matrix;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod panels;
mod product;
#[cfg_attr(any(miri, not(target_arch = "x86_64")), allow(dead_code, reason = "only one is for this machine"))]
mod sizes;
#[cfg(test)]
mod tests;
mod threads;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod tile;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod vector;

pub use matrix::{MatMut, MatRef, Start};

/// The loop that computes a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    any(miri, not(target_arch = "x86_64")),
    allow(dead_code, reason = "only some are for this machine")
)]
#[doc(hidden)]
#[non_exhaustive]
pub enum Backend {
    /// Three loops.
    Naive,
    /// Tiles along B's contiguous rows, without packing.
    Rows,
    /// Tiles of dot products of A's contiguous rows and B's contiguous columns, without packing.
    Dots,
    /// Tiles along B's panels, which are packed here.
    Panels,
    /// The crate `matrixmultiply`, which packs and asks less of the machine.
    Baseline,
}

/// An element type that has matrix products.
pub trait Gemm: Number {
    /// 0, under a name that a supertrait's constant does not make ambiguous.
    #[doc(hidden)]
    const NOTHING: Self;
    /// # Safety
    /// What [`Product`] says holds, and what [`Product::backend`] asks before it names this backend.
    #[doc(hidden)]
    unsafe fn run(product: &Product<Self>, backend: Backend);
    /// [`pack_len`].
    #[doc(hidden)]
    fn pack_len(k: usize, n: usize) -> Option<usize>;
    /// # Safety
    /// B's elements are valid, and `to` has room for [`Gemm::pack_len`]; panels `panels` are written there.
    #[doc(hidden)]
    unsafe fn pack(extents: Extents, b: (*const Self, isize, isize), to: *mut Self, panels: Range<usize>);
    /// Panel `panels.start` to `panels.end` of C's columns.
    /// # Safety
    /// What [`Product`] says holds but for B, which `pack` holds as [`Gemm::pack`] wrote it.
    #[doc(hidden)]
    unsafe fn run_packed(product: &Product<Self>, pack: *const Self, panels: Range<usize>);
    /// How many panels of columns a pack of n has.
    #[doc(hidden)]
    fn panels(n: usize) -> usize;
    /// Calls with aligned memory of this thread, of no particular value.
    #[doc(hidden)]
    fn with_scratch<R>(len: usize, work: impl FnOnce(*mut Self) -> R) -> R;
}

/// The extents of a product of these, which must fit.
#[track_caller]
fn extents<T>(a: &MatRef<'_, T>, b: (usize, usize), start: &Start<'_, T>, c: &MatMut<'_, T>) -> Extents {
    let (m, k, n) = (a.rows, a.cols, b.1);
    let fits = b.0 == k && (c.rows, c.cols) == (m, n);
    assert!(fits, "gemm: {m} x {k} by {} x {n} for {} x {}", b.0, c.rows, c.cols);
    if let Start::Matrix(start) = start {
        let extents = (start.rows, start.cols);
        assert!(extents == (m, n), "gemm: a start of {} x {} for {m} x {n}", extents.0, extents.1);
    }
    Extents { m, k, n }
}

/// `C <- A B + start`, with A m x k, B k x n, C m x n.
///
/// For given extents, strides and machine, the order of additions is always the same.
///
/// # Panics
/// If the extents don't fit.
#[track_caller]
pub fn gemm<T: Gemm>(a: MatRef<'_, T>, b: MatRef<'_, T>, start: Start<'_, T>, c: MatMut<'_, T>) {
    gemm_by(Product::backend, a, b, start, c);
}

/// [`gemm`] by three loops: the reference.
///
/// # Panics
/// If the extents don't fit.
#[track_caller]
pub fn gemm_naive<T: Gemm>(a: MatRef<'_, T>, b: MatRef<'_, T>, start: Start<'_, T>, c: MatMut<'_, T>) {
    gemm_by(|_| Backend::Naive, a, b, start, c);
}

/// [`gemm`] by a loop that is chosen for the product.
#[track_caller]
#[inline]
fn gemm_by<T: Gemm>(
    choose: impl FnOnce(&Product<T>) -> Backend,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    start: Start<'_, T>,
    c: MatMut<'_, T>,
) {
    let extents = extents(&a, (b.rows, b.cols), &start, &c);
    if extents.m > 0 && extents.n > 0 {
        let product = Product::new(extents, a, b, start, c);
        // SAFETY: matrices lie inside their memory, and the extents fit; C is borrowed exclusively.
        unsafe { product.shared(choose(&product)) }
    }
}

/// [`gemm`] for a B that a pack may be kept of, C with contiguous rows: to the bit what [`gemm_packed`]
/// gives.
///
/// # Panics
/// If the extents don't fit, C's rows are not contiguous, or this machine has no packs.
#[track_caller]
pub fn gemm_like_packed<T: Gemm>(a: MatRef<'_, T>, b: MatRef<'_, T>, start: Start<'_, T>, c: MatMut<'_, T>) {
    let extents = extents(&a, (b.rows, b.cols), &start, &c);
    let Extents { m, k, n } = extents;
    assert!(T::pack_len(k, n).is_some() && c.col_stride == 1, "gemm_like_packed: packs and contiguous rows");
    if m > 0 && n > 0 {
        let product = Product::unoriented(extents, a, b, start, c).settled();
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        let backend = if k == 0 { Backend::Naive } else { product.like_packed() };
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        let backend = Backend::Naive;
        // SAFETY: as for `gemm_by`.
        unsafe { product.shared(backend) }
    }
}

/// How many elements a pack of a matrix of k rows and n columns takes, where this machine has products with
/// packs and a tensor can have so many.
pub fn pack_len<T: Gemm>(k: usize, n: usize) -> Option<usize> {
    T::pack_len(k, n)
}

/// Lays B out for [`gemm_packed`].
///
/// # Panics
/// If `to` has another length than [`pack_len`] says.
#[track_caller]
pub fn pack<T: Gemm>(b: MatRef<'_, T>, to: &mut [T]) {
    let (k, n) = (b.rows, b.cols);
    assert_eq!(Some(to.len()), T::pack_len(k, n), "pack: the length of a pack of {k} x {n}");
    if k > 0 && n > 0 {
        let b = (b.start, b.row_stride as isize, b.col_stride as isize);
        // SAFETY: all of B lies inside its memory, and `to` is as long as the pack.
        unsafe { threads::pack(Extents { m: 0, k, n }, b, to.as_mut_ptr()) }
    }
}

/// [`gemm`] with a B that [`pack`] has laid out.
///
/// # Panics
/// If the extents don't fit, C's rows are not contiguous, or `packed` has another length than [`pack_len`]
/// says.
#[track_caller]
pub fn gemm_packed<T: Gemm>(a: MatRef<'_, T>, packed: &[T], start: Start<'_, T>, c: MatMut<'_, T>) {
    let extents = extents(&a, (a.cols, c.cols), &start, &c);
    let Extents { m, k, n } = extents;
    assert_eq!(Some(packed.len()), T::pack_len(k, n), "gemm_packed: the length of a pack of {k} x {n}");
    assert!(c.col_stride == 1, "gemm_packed: C's rows must be contiguous");
    if m > 0 && n > 0 {
        let b = MatRef::of(packed, 0, (k, n), (0, 0));
        let product = Product::unoriented(extents, a, b, start, c).settled();
        // SAFETY: as for `gemm_by`, and the pack has the right length.
        unsafe {
            if k == 0 {
                T::run(&product, Backend::Naive)
            } else {
                product.shared_packed(Address(packed.as_ptr()))
            }
        }
    }
}

macro_rules! implement {
    ($type:ty, $baseline:path) => {
        impl Gemm for $type {
            const NOTHING: Self = 0.0;

            #[inline]
            unsafe fn run(product: &Product<Self>, backend: Backend) {
                // SAFETY: the caller's promise.
                unsafe {
                    match backend {
                        Backend::Naive => product.naive(),
                        #[cfg(all(target_arch = "x86_64", not(miri)))]
                        Backend::Rows => product.along_b(level::level()),
                        #[cfg(all(target_arch = "x86_64", not(miri)))]
                        Backend::Dots => product.by_dots(level::level()),
                        #[cfg(all(target_arch = "x86_64", not(miri)))]
                        Backend::Panels => product.through_panels(level::level()),
                        _ => {
                            let Product { extents: Extents { m, k, n }, a, b, start, c } = product.begun();
                            let beta = if start.is_some() { 1.0 } else { 0.0 };
                            $baseline(m, k, n, 1.0, a.0, a.1, a.2, b.0, b.1, b.2, beta, c.0, c.1, c.2);
                        }
                    }
                }
            }

            #[cfg(all(target_arch = "x86_64", not(miri)))]
            #[inline]
            fn pack_len(k: usize, n: usize) -> Option<usize> {
                let level = level::level();
                if level == level::Level::Portable { None } else { Product::<$type>::pack_len(level, k, n) }
            }

            #[cfg(all(target_arch = "x86_64", not(miri)))]
            unsafe fn pack(
                extents: Extents,
                b: (*const Self, isize, isize),
                to: *mut Self,
                panels: Range<usize>,
            ) {
                // SAFETY: the caller's promise; there is a pack, so there are vectors.
                unsafe { Product::<$type>::pack(level::level(), extents, b, to, panels) }
            }

            #[cfg(all(target_arch = "x86_64", not(miri)))]
            #[inline]
            unsafe fn run_packed(product: &Product<Self>, pack: *const Self, panels: Range<usize>) {
                // SAFETY: as above.
                unsafe { product.with_packed(level::level(), pack, panels) }
            }

            #[cfg(all(target_arch = "x86_64", not(miri)))]
            fn panels(n: usize) -> usize {
                Product::<$type>::panels(level::level(), n)
            }

            #[cfg(not(all(target_arch = "x86_64", not(miri))))]
            fn pack_len(_: usize, _: usize) -> Option<usize> {
                None
            }

            #[cfg(not(all(target_arch = "x86_64", not(miri))))]
            unsafe fn pack(_: Extents, _: (*const Self, isize, isize), _: *mut Self, _: Range<usize>) {
                unreachable!("no pack has a length here")
            }

            #[cfg(not(all(target_arch = "x86_64", not(miri))))]
            unsafe fn run_packed(_: &Product<Self>, _: *const Self, _: Range<usize>) {
                unreachable!("no pack has a length here")
            }

            #[cfg(not(all(target_arch = "x86_64", not(miri))))]
            fn panels(_: usize) -> usize {
                0
            }

            fn with_scratch<R>(len: usize, work: impl FnOnce(*mut Self) -> R) -> R {
                thread_local! {
                    static SCRATCH: RefCell<AlignedBuffer<$type>> = RefCell::new(AlignedBuffer::empty());
                }
                SCRATCH.with_borrow_mut(|scratch| {
                    if scratch.capacity() < len {
                        let larger = AlignedBuffer::zeroed(len, len);
                        *scratch = larger.unwrap_or_else(|| refuse::<$type>(len));
                    }
                    work(scratch.as_mut_room().as_mut_ptr())
                })
            }
        }
    };
}

implement!(f32, matrixmultiply::sgemm);
implement!(f64, matrixmultiply::dgemm);
