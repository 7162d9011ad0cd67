//! The one seam that every matrix product goes through.

use std::fmt::Debug;

/// A matrix in memory: element (i, j) lies at `offset + i * row_stride + j * col_stride` of `data`.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a, T> {
    /// The memory it lies in.
    pub data: &'a [T],
    /// Where element (0, 0) lies.
    pub offset: usize,
    /// From a row to the next.
    pub row_stride: usize,
    /// From a column to the next.
    pub col_stride: usize,
}

/// A matrix in memory that is written.
#[derive(Debug)]
pub struct MatMut<'a, T> {
    /// The memory it lies in.
    pub data: &'a mut [T],
    /// Where element (0, 0) lies.
    pub offset: usize,
    /// From a row to the next.
    pub row_stride: usize,
    /// From a column to the next.
    pub col_stride: usize,
}

/// The extents of a product: A is m x k, B is k x n, C is m x n.
#[derive(Clone, Copy, Debug)]
pub struct Extents {
    m: usize,
    k: usize,
    n: usize,
}

/// An element type that has matrix products.
pub trait Gemm: Copy + Debug + PartialEq {
    #[doc(hidden)]
    const NOTHING: Self;
    /// `C <- alpha A B + beta C` on pointers.
    ///
    /// # Safety
    /// All elements that extents and strides reach are valid, C's are distinct and not A's or B's.
    #[doc(hidden)]
    unsafe fn product(extents: Extents, alpha: Self, a: Operand<Self>, b: Operand<Self>, beta: Self, c: Target<Self>);
}

/// A matrix as pointer, row stride, column stride.
#[doc(hidden)]
pub type Operand<T> = (*const T, isize, isize);
#[doc(hidden)]
pub type Target<T> = (*mut T, isize, isize);

fn reach(offset: usize, rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> usize {
    if rows == 0 || cols == 0 { 0 } else { offset + (rows - 1) * row_stride + (cols - 1) * col_stride + 1 }
}

/// Every index that the product reaches lies inside its operand, and C's elements are distinct.
fn check<T>(Extents { m, k, n }: Extents, a: &MatRef<'_, T>, b: &MatRef<'_, T>, c: &MatMut<'_, T>) {
    assert!(reach(a.offset, m, k, a.row_stride, a.col_stride) <= a.data.len(), "gemm: A ({m} x {k}) leaves its memory");
    assert!(reach(b.offset, k, n, b.row_stride, b.col_stride) <= b.data.len(), "gemm: B ({k} x {n}) leaves its memory");
    assert!(reach(c.offset, m, n, c.row_stride, c.col_stride) <= c.data.len(), "gemm: C ({m} x {n}) leaves its memory");
    let distinct = (m <= 1 || c.row_stride >= n.max(1) * c.col_stride && c.row_stride > 0) && (n <= 1 || c.col_stride > 0)
        || (n <= 1 || c.col_stride >= m.max(1) * c.row_stride) && (m <= 1 || c.row_stride > 0);
    assert!(distinct, "gemm: elements of C overlap");
}

/// `C <- alpha A B + beta C`, with A m x k, B k x n, C m x n; for `beta = 0`, C is not read.
///
/// # Panics
/// If an operand is smaller than its extents and strides say, or elements of C overlap.
#[allow(clippy::too_many_arguments, reason = "the arguments of BLAS")]
pub fn gemm<T: Gemm>(m: usize, k: usize, n: usize, alpha: T, a: MatRef<'_, T>, b: MatRef<'_, T>, beta: T, c: MatMut<'_, T>) {
    let extents = Extents { m, k, n };
    check(extents, &a, &b, &c);
    if m == 0 || n == 0 {
        return;
    }
    let operand = |x: &MatRef<'_, T>| {
        let start = if k == 0 { x.data.as_ptr() } else { x.data[x.offset..].as_ptr() };
        (start, x.row_stride as isize, x.col_stride as isize)
    };
    let target = (c.data[c.offset..].as_mut_ptr(), c.row_stride as isize, c.col_stride as isize);
    // SAFETY: `check` compared every index with the memory's length; C is borrowed exclusively.
    unsafe { T::product(extents, alpha, operand(&a), operand(&b), beta, target) }
}

macro_rules! implement {
    ($type:ty, $portable:path) => {
        impl Gemm for $type {
            const NOTHING: Self = 0.0;

            #[inline]
            unsafe fn product(
                Extents { m, k, n }: Extents,
                alpha: Self,
                a: Operand<Self>,
                b: Operand<Self>,
                beta: Self,
                c: Target<Self>,
            ) {
                // SAFETY: the caller's promise is what the library asks for.
                unsafe {
                    gemm::gemm(
                        m, n, k, c.0, c.2, c.1, beta != 0.0, a.0, a.2, a.1, b.0, b.2, b.1, beta, alpha,
                        false, false, false, gemm::Parallelism::None,
                    );
                }
            }
        }
    };
}

implement!(f32, matrixmultiply::sgemm);
implement!(f64, matrixmultiply::dgemm);
