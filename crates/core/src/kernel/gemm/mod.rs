//! The one seam that every matrix product goes through.

use std::fmt::Debug;

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod direct;
#[cfg(test)]
mod tests;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod vector;

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

/// A product on pointers; a matrix is a pointer to its first element, a row stride and a column stride.
///
/// Where one exists, its extents are positive, all elements that it reaches are valid, and C's are distinct and
/// not A's or B's.
#[derive(Clone, Copy, Debug)]
pub struct Product<T> {
    extents: Extents,
    alpha: T,
    a: (*const T, isize, isize),
    b: (*const T, isize, isize),
    beta: T,
    c: (*mut T, isize, isize),
}

/// Which loop computes a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    any(miri, not(target_arch = "x86_64")),
    allow(dead_code, reason = "only some are for this machine")
)]
#[doc(hidden)]
pub enum Backend {
    /// Three loops.
    Naive,
    /// Tiles along B's contiguous rows, without packing.
    Rows,
    /// Tiles of dot products of A's contiguous rows and B's contiguous columns, without packing.
    Dots,
    /// The crate `gemm`, which packs.
    Packed,
    /// The crate `matrixmultiply`, which packs and asks less of the machine.
    Baseline,
}

/// An element type that has matrix products.
pub trait Gemm: Copy + Debug + PartialEq {
    /// 0, under a name that a supertrait's constant does not make ambiguous.
    #[doc(hidden)]
    const NOTHING: Self;
    /// # Safety
    /// What [`Product`] says holds, and what [`Product::backend`] asks before it names this backend.
    #[doc(hidden)]
    unsafe fn run(product: &Product<Self>, backend: Backend);
}

/// One past the last index that a matrix reaches, if that is a number.
fn reach(offset: usize, rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Option<usize> {
    if rows == 0 || cols == 0 {
        return Some(0);
    }
    let (down, across) = ((rows - 1).checked_mul(row_stride)?, (cols - 1).checked_mul(col_stride)?);
    offset.checked_add(down)?.checked_add(across)?.checked_add(1)
}

/// Every index that the product reaches lies inside its operand, and C's elements are distinct.
#[track_caller]
fn check<T>(Extents { m, k, n }: Extents, a: &MatRef<'_, T>, b: &MatRef<'_, T>, c: &MatMut<'_, T>) {
    let inside = |offset, rows, cols, (row_stride, col_stride), len, name| {
        let reach = reach(offset, rows, cols, row_stride, col_stride);
        assert!(
            reach.is_some_and(|reach| reach <= len),
            "gemm: {name} ({rows} x {cols}, strides {row_stride} and {col_stride}, offset {offset}) leaves its {len} elements"
        );
    };
    inside(a.offset, m, k, (a.row_stride, a.col_stride), a.data.len(), "A");
    inside(b.offset, k, n, (b.row_stride, b.col_stride), b.data.len(), "B");
    inside(c.offset, m, n, (c.row_stride, c.col_stride), c.data.len(), "C");
    // Of two strides, the greater steps over all that the lesser reaches.
    let (few, great, many, less) = if c.row_stride >= c.col_stride {
        (m, c.row_stride, n, c.col_stride)
    } else {
        (n, c.col_stride, m, c.row_stride)
    };
    let distinct = m == 0 || n == 0 || (many == 1 || less > 0) && (few == 1 || great > (many - 1) * less);
    assert!(
        distinct,
        "gemm: elements of C ({m} x {n}, strides {} and {}) overlap",
        c.row_stride, c.col_stride
    );
}

/// `C <- alpha A B + beta C`, with A m x k, B k x n, C m x n; for `beta == 0`, C is not read.
///
/// For given extents, strides and machine, the order of additions is always the same.
///
/// # Panics
/// If an operand is smaller than its extents and strides say, or C's strides let its elements overlap: the greater
/// must step over all that the lesser reaches.
#[allow(clippy::too_many_arguments, reason = "the arguments of BLAS")]
#[track_caller]
pub fn gemm<T: Gemm>(
    m: usize,
    k: usize,
    n: usize,
    alpha: T,
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    beta: T,
    c: MatMut<'_, T>,
) {
    let extents = Extents { m, k, n };
    check(extents, &a, &b, &c);
    if m > 0 && n > 0 {
        let product = Product::new(extents, alpha, a, b, beta, c);
        // SAFETY: `check` compared every index with the memory's length; C is borrowed exclusively.
        unsafe { T::run(&product, product.backend()) }
    }
}

impl<T: Gemm> Product<T> {
    /// For operands that were checked and a C that has elements.
    fn new(
        extents: Extents,
        alpha: T,
        a: MatRef<'_, T>,
        b: MatRef<'_, T>,
        beta: T,
        c: MatMut<'_, T>,
    ) -> Self {
        let Extents { m, k, n } = extents;
        // Where there is no second element, any stride will do; 1 counts as contiguous.
        let stride = |extent: usize, stride: usize| if extent <= 1 { 1 } else { stride as isize };
        // Without elements, an operand may lie anywhere.
        let start = |x: &MatRef<'_, T>| if k == 0 { x.data.as_ptr() } else { x.data[x.offset..].as_ptr() };
        let product = Product {
            extents,
            alpha,
            a: (start(&a), stride(m, a.row_stride), stride(k, a.col_stride)),
            b: (start(&b), stride(k, b.row_stride), stride(n, b.col_stride)),
            beta,
            c: (c.data[c.offset..].as_mut_ptr(), stride(m, c.row_stride), stride(n, c.col_stride)),
        };
        product.oriented()
    }

    /// The product as one whose C has contiguous rows, if it can: that of the transposes gives the transpose.
    fn oriented(self) -> Self {
        let Extents { m, k, n } = self.extents;
        if self.c.1 != 1 || self.c.2 == 1 && n > 1 {
            return self;
        }
        let flip = |(start, row, col)| (start, col, row);
        let c = (self.c.0, self.c.2, self.c.1);
        Self { extents: Extents { m: n, k, n: m }, a: flip(self.b), b: flip(self.a), c, ..self }
    }

    /// The fastest loop for the product's shape, by measurement.
    fn backend(&self) -> Backend {
        if cfg!(miri) || self.extents.k == 0 {
            return Backend::Naive;
        }
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        return self.fastest();
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        Backend::Packed
    }

    /// # Safety
    /// As for [`Gemm::run`].
    unsafe fn naive(&self)
    where
        T: std::ops::Add<Output = T> + std::ops::Mul<Output = T>,
    {
        let Extents { m, k, n } = self.extents;
        let (a, b, c) = (self.a, self.b, self.c);
        for i in 0..m as isize {
            for j in 0..n as isize {
                // SAFETY: the indices lie inside the extents.
                unsafe {
                    let mut sum = T::NOTHING;
                    for p in 0..k as isize {
                        sum = sum + *a.0.offset(i * a.1 + p * a.2) * *b.0.offset(p * b.1 + j * b.2);
                    }
                    let at = c.0.offset(i * c.1 + j * c.2);
                    let value = self.alpha * sum;
                    at.write(if self.beta == T::NOTHING { value } else { value + self.beta * at.read() });
                }
            }
        }
    }
}

macro_rules! implement {
    ($type:ty, $baseline:path, $packed:path) => {
        impl Gemm for $type {
            const NOTHING: Self = 0.0;

            #[inline]
            unsafe fn run(product: &Product<Self>, backend: Backend) {
                let Product { extents: Extents { m, k, n }, alpha, a, b, beta, c } = *product;
                // SAFETY: the caller's promise.
                unsafe {
                    match backend {
                        Backend::Naive => product.naive(),
                        Backend::Baseline => {
                            $baseline(m, k, n, alpha, a.0, a.1, a.2, b.0, b.1, b.2, beta, c.0, c.1, c.2);
                        }
                        #[cfg(all(target_arch = "x86_64", not(miri)))]
                        Backend::Rows | Backend::Dots => product.direct(backend),
                        _ => {
                            // These kernels go down the columns of C: a row-major one is the transposed product.
                            let flip = |(at, row, column)| (at, column, row);
                            let (m, n, a, b, (at, row, column)) = match c.2 < c.1 {
                                true => (n, m, flip(b), flip(a), (c.0, c.2, c.1)),
                                false => (m, n, a, b, c),
                            };
                            // The scale of C comes first.
                            #[rustfmt::skip]
                            $packed()(
                                m, n, k, at, column, row, beta != 0.0, a.0, a.2, a.1, b.0, b.2, b.1, beta, alpha,
                                false, false, false, gemm_common::Parallelism::None,
                            );
                        }
                    }
                }
            }
        }
    };
}

implement!(f32, matrixmultiply::sgemm, gemm_f32::gemm::f32::get_gemm_fn);
implement!(f64, matrixmultiply::dgemm, gemm_f64::gemm::f64::get_gemm_fn);
