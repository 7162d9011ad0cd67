//! A product on pointers, and the way round in which it is computed.

use super::{Backend, Gemm, MatMut, MatRef, Start};

/// The extents of a product: A is m x k, B is k x n, C is m x n.
#[derive(Clone, Copy, Debug)]
pub struct Extents {
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
}

/// A product on pointers; a matrix is a pointer to its first element, a row stride and a column stride.
///
/// Where one exists, its extents are positive, all elements that it reaches are valid, and C's are distinct
/// and not A's or B's. What it is added to is C itself, or nothing of it, with contiguous rows if C has
/// these.
#[derive(Clone, Copy, Debug)]
pub struct Product<T> {
    pub(super) extents: Extents,
    pub(super) a: (*const T, isize, isize),
    pub(super) b: (*const T, isize, isize),
    pub(super) start: Option<(*const T, isize, isize)>,
    pub(super) c: (*mut T, isize, isize),
}

impl<T: Gemm> Product<T> {
    /// For operands that were checked and a C that has elements.
    pub(super) fn new(
        extents: Extents,
        a: MatRef<'_, T>,
        b: MatRef<'_, T>,
        start: Start<'_, T>,
        c: MatMut<'_, T>,
    ) -> Self {
        Product::unoriented(extents, a, b, start, c).oriented().settled()
    }

    /// [`Product::new`] with A and B as they are.
    pub(super) fn unoriented(
        extents: Extents,
        a: MatRef<'_, T>,
        b: MatRef<'_, T>,
        start: Start<'_, T>,
        c: MatMut<'_, T>,
    ) -> Self {
        let (a, b, c) = (a.located(), b.located(), c.located());
        let start = match start {
            Start::Zero => None,
            Start::Own => Some((c.0.cast_const(), c.1, c.2)),
            Start::Matrix(start) => Some(start.located()),
        };
        Product { extents, a, b, start, c }
    }

    /// With a start whose rows are contiguous if C's are: another is copied into C.
    pub(super) fn settled(self) -> Self {
        match self.start {
            // SAFETY: the operands were checked.
            Some((_, _, column)) if column != 1 && self.c.2 == 1 => unsafe { self.begun() },
            _ => self,
        }
    }

    /// The product as one whose C has contiguous rows, if it can: that of the transposes gives the
    /// transpose.
    pub(super) fn oriented(self) -> Self {
        let Extents { m, k, n } = self.extents;
        if self.c.1 != 1 || self.c.2 == 1 && n > 1 {
            return self;
        }
        let flip = |(start, row, col)| (start, col, row);
        let c = (self.c.0, self.c.2, self.c.1);
        let extents = Extents { m: n, k, n: m };
        Self { extents, a: flip(self.b), b: flip(self.a), start: self.start.map(flip), c }
    }

    /// Copies what the product is added to into C, so that it is C itself.
    ///
    /// # Safety
    /// All that [`Product`] says holds.
    pub(super) unsafe fn begun(mut self) -> Self {
        let c = (self.c.0.cast_const(), self.c.1, self.c.2);
        if let Some(start) = self.start.filter(|start| *start != c) {
            for i in 0..self.extents.m as isize {
                for j in 0..self.extents.n as isize {
                    // SAFETY: the indices lie inside the extents.
                    unsafe {
                        let value = *start.0.offset(i * start.1 + j * start.2);
                        *self.c.0.offset(i * c.1 + j * c.2) = value;
                    }
                }
            }
            self.start = Some(c);
        }
        self
    }

    /// The fastest loop for the product's shape, by measurement.
    pub(super) fn backend(&self) -> Backend {
        if cfg!(miri) || self.extents.k == 0 {
            return Backend::Naive;
        }
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        return self.fastest();
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        Backend::Baseline
    }

    /// # Safety
    /// As for [`Gemm::run`].
    pub(super) unsafe fn naive(&self)
    where
        T: std::ops::Add<Output = T> + std::ops::Mul<Output = T>,
    {
        let Extents { m, k, n } = self.extents;
        let (a, b, start, c) = (self.a, self.b, self.start, self.c);
        for i in 0..m as isize {
            for j in 0..n as isize {
                // SAFETY: the indices lie inside the extents.
                unsafe {
                    let mut sum = T::NOTHING;
                    for p in 0..k as isize {
                        sum = sum + *a.0.offset(i * a.1 + p * a.2) * *b.0.offset(p * b.1 + j * b.2);
                    }
                    if let Some(start) = start {
                        sum = sum + *start.0.offset(i * start.1 + j * start.2);
                    }
                    c.0.offset(i * c.1 + j * c.2).write(sum);
                }
            }
        }
    }
}
