//! A product in parts, for a team of threads. Every element of C is computed by one thread, in the order of
//! additions that it has anyway: which loop computes a product is decided before it is cut, and C is cut
//! where that loop's tiles end.

use super::product::{Extents, Product};
use super::sizes::MR;
use super::{Backend, Gemm};
use crate::run::team;

/// Multiply-adds in a nanosecond, a cautious guess.
const MULTIPLY_ADDS: usize = 40;
/// Elements that are packed in a nanosecond.
const PACKED: usize = 2;
/// Rows and columns that a part has whole multiples of: whole tiles of every loop, and whole blocks of
/// `matrixmultiply`.
const ROWS_OF_PART: usize = 64;
const COLUMNS_OF_PART: usize = 64;

/// Where a pack lies.
#[derive(Clone, Copy)]
pub(super) struct Address<T>(pub(super) *const T);

// SAFETY: it is an address of numbers that nobody changes meanwhile; who reads there vouches for it.
unsafe impl<T: Sync> Sync for Address<T> {}

impl<T> Address<T> {
    fn get(&self) -> *const T {
        self.0
    }
}

// SAFETY: it says where matrices of numbers lie; who runs it vouches that nobody else uses the part of C
// that is written.
unsafe impl<T: Send + Sync> Sync for Product<T> {}

impl<T> Product<T> {
    /// The product of some rows, some of k and some columns, each from where and how many; later parts of k
    /// are added to C.
    ///
    /// # Safety
    /// They lie inside.
    #[inline(always)]
    pub(super) unsafe fn part(
        &self,
        rows: (usize, usize),
        deep: (usize, usize),
        columns: (usize, usize),
    ) -> Self {
        let (i, p, j) = (rows.0 as isize, deep.0 as isize, columns.0 as isize);
        let own = Some((self.c.0.cast_const(), self.c.1, self.c.2));
        // SAFETY: the parts begin inside the operands.
        unsafe {
            let at = |x: (*const T, isize, isize), i, j| (x.0.offset(i * x.1 + j * x.2), x.1, x.2);
            Product {
                extents: Extents { m: rows.1, k: deep.1, n: columns.1 },
                a: at(self.a, i, p),
                b: at(self.b, p, j),
                start: if p == 0 { self.start } else { own }.map(|start| at(start, i, j)),
                c: (self.c.0.offset(i * self.c.1 + j * self.c.2), self.c.1, self.c.2),
            }
        }
    }
}

/// Packs B, panel by panel.
///
/// # Safety
/// As for [`Gemm::pack`].
pub(super) unsafe fn pack<T: Gemm>(extents: Extents, b: (*const T, isize, isize), to: *mut T) {
    let panels = T::panels(extents.n);
    let parts = team::parts_worth(extents.k * extents.n / PACKED).min(panels);
    let (from, to) = (Address(b.0), Address(to.cast_const()));
    team::share(parts, |part| {
        let b = (from.get(), b.1, b.2);
        // SAFETY: the caller's promise; no two parts write the same panel.
        unsafe { T::pack(extents, b, to.get().cast_mut(), team::range(part, parts, panels)) }
    });
}

impl<T: Gemm> Product<T> {
    fn nanoseconds(&self) -> usize {
        let Extents { m, k, n } = self.extents;
        m.saturating_mul(k).saturating_mul(n) / MULTIPLY_ADDS
    }

    /// # Safety
    /// As for [`Gemm::run`].
    #[inline]
    pub(super) unsafe fn shared(&self, backend: Backend) {
        let parts = team::parts_worth(self.nanoseconds());
        if parts > 1 && backend != Backend::Naive {
            // SAFETY: the caller's promise.
            unsafe { self.cut(backend, parts) }
        } else {
            // SAFETY: the caller's promise.
            unsafe { T::run(self, backend) }
        }
    }

    /// In parts of rows or of columns.
    ///
    /// # Safety
    /// As for [`Gemm::run`].
    pub(super) unsafe fn cut(&self, backend: Backend, parts: usize) {
        let Extents { m, k, n } = self.extents;
        let by_rows = self.is_cut_by_rows(backend);
        let (total, unit) = if by_rows { (m, ROWS_OF_PART) } else { (n, COLUMNS_OF_PART) };
        let units = total.div_ceil(unit);
        let parts = parts.min(units);
        team::share(parts, |part| {
            let units = team::range(part, parts, units);
            let (start, end) = (units.start * unit, total.min(units.end * unit));
            let range = (start, end - start);
            let (rows, columns) = if by_rows { (range, (0, n)) } else { ((0, m), range) };
            // SAFETY: the parts lie inside the operands and share no element of C.
            unsafe { T::run(&self.part(rows, (0, k), columns), backend) }
        });
    }

    /// The other operand is packed by every part, so the one is cut that costs more to pack.
    fn is_cut_by_rows(&self, backend: Backend) -> bool {
        let Extents { m, k, n } = self.extents;
        let packs_a = if self.a.2 == 1 { 0 } else { m.saturating_mul(k) };
        let packs_more_of_a = packs_a >= n.saturating_mul(k) && m >= 2 * ROWS_OF_PART;
        backend == Backend::Baseline || packs_more_of_a || n < 2 * COLUMNS_OF_PART || m > n.saturating_mul(8)
    }

    /// # Safety
    /// As for [`Gemm::run_packed`].
    #[inline]
    pub(super) unsafe fn shared_packed(&self, pack: Address<T>) {
        let (all, wanted) = (T::panels(self.extents.n), team::parts_worth(self.nanoseconds()));
        if wanted > 1 {
            // SAFETY: the caller's promise.
            unsafe { self.cut_packed(pack, all, wanted) }
        } else {
            // SAFETY: the caller's promise.
            unsafe { T::run_packed(self, pack.get(), 0..all) }
        }
    }

    /// In parts of panels, or, if there are too few of them, of panels and rows.
    ///
    /// # Safety
    /// As for [`Gemm::run_packed`].
    pub(super) unsafe fn cut_packed(&self, pack: Address<T>, panels: usize, wanted: usize) {
        let Extents { m, k, n } = self.extents;
        let across = wanted.min(panels);
        let tiles = m.div_ceil(MR);
        let down = (wanted / across).min(tiles);
        team::share(across * down, |part| {
            let tiles = team::range(part / across, down, tiles);
            let (start, end) = (tiles.start * MR, m.min(tiles.end * MR));
            // SAFETY: the parts lie inside the operands and share no element of C.
            unsafe {
                let rows = self.part((start, end - start), (0, k), (0, n));
                T::run_packed(&rows, pack.get(), team::range(part % across, across, panels));
            }
        });
    }
}
