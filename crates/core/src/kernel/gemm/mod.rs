//! The one seam that every matrix product goes through.

use std::cell::RefCell;
use std::fmt::Debug;
use std::ops::Range;

use self::shared::Address;
use crate::kernel::buffer::Buffer;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use crate::kernel::level;
use crate::memory;

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod ahead;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod blocks;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod direct;
#[cfg(test)]
mod guard_tests;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod panels;
mod shared;
#[cfg(test)]
mod tests;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod tile;
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

/// What a product is added to.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a, T> {
    /// Nothing: C is not read.
    Zero,
    /// What C holds.
    Own,
    /// Another matrix of C's extents; strides of 0 repeat it.
    Matrix(MatRef<'a, T>),
}

/// A product on pointers; a matrix is a pointer to its first element, a row stride and a column stride.
///
/// Where one exists, its extents are positive, all elements that it reaches are valid, and C's are distinct and
/// not A's or B's. What it is added to is C itself, or nothing of it, with contiguous rows if C has these.
#[derive(Clone, Copy, Debug)]
pub struct Product<T> {
    extents: Extents,
    a: (*const T, isize, isize),
    b: (*const T, isize, isize),
    start: Option<(*const T, isize, isize)>,
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
    /// Tiles along B's panels, which are packed here.
    Panels,
    /// The crate `matrixmultiply`, which packs and asks less of the machine.
    Baseline,
}

/// An element type that has matrix products.
pub trait Gemm: Copy + Debug + PartialEq + Send + Sync {
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

/// One past the last index that a matrix reaches, if that is a number.
fn reach(offset: usize, rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Option<usize> {
    if rows == 0 || cols == 0 {
        return Some(0);
    }
    let (down, across) = ((rows - 1).checked_mul(row_stride)?, (cols - 1).checked_mul(col_stride)?);
    offset.checked_add(down)?.checked_add(across)?.checked_add(1)
}

/// Every index of a matrix lies inside its memory.
#[track_caller]
fn check_inside<T>(name: &str, x: &MatRef<'_, T>, rows: usize, cols: usize) {
    let MatRef { data, offset, row_stride, col_stride } = *x;
    let reach = reach(offset, rows, cols, row_stride, col_stride);
    assert!(
        reach.is_some_and(|reach| reach <= data.len()),
        "gemm: {name} ({rows} x {cols}, strides {row_stride} and {col_stride}, offset {offset}) leaves its {} elements",
        data.len()
    );
}

/// Every index that the product reaches lies inside its operand, and C's elements are distinct.
#[track_caller]
fn check<T>(
    Extents { m, k, n }: Extents,
    a: &MatRef<'_, T>,
    b: &MatRef<'_, T>,
    start: &Start<'_, T>,
    c: &MatMut<'_, T>,
) {
    check_inside("A", a, m, k);
    check_inside("B", b, k, n);
    check_inside(
        "C",
        &MatRef { data: &*c.data, offset: c.offset, row_stride: c.row_stride, col_stride: c.col_stride },
        m,
        n,
    );
    if let Start::Matrix(start) = start {
        check_inside("the start", start, m, n);
    }
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

/// `C <- A B + start`, with A m x k, B k x n, C m x n.
///
/// For given extents, strides and machine, the order of additions is always the same.
///
/// # Panics
/// If an operand is smaller than its extents and strides say, or C's strides let its elements overlap: the greater
/// must step over all that the lesser reaches.
#[track_caller]
pub fn gemm<T: Gemm>(
    (m, k, n): (usize, usize, usize),
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    start: Start<'_, T>,
    c: MatMut<'_, T>,
) {
    gemm_by(Product::backend, (m, k, n), a, b, start, c);
}

/// [`gemm`] by three loops: the reference.
///
/// # Panics
/// As there.
#[track_caller]
pub(crate) fn gemm_naive<T: Gemm>(
    (m, k, n): (usize, usize, usize),
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    start: Start<'_, T>,
    c: MatMut<'_, T>,
) {
    gemm_by(|_| Backend::Naive, (m, k, n), a, b, start, c);
}

/// [`gemm`] by a loop that is chosen for the product.
#[track_caller]
#[inline]
fn gemm_by<T: Gemm>(
    choose: impl FnOnce(&Product<T>) -> Backend,
    (m, k, n): (usize, usize, usize),
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    start: Start<'_, T>,
    c: MatMut<'_, T>,
) {
    let extents = Extents { m, k, n };
    check(extents, &a, &b, &start, &c);
    if m > 0 && n > 0 {
        let product = Product::new(extents, a, b, start, c);
        // SAFETY: `check` compared every index with the memory's length; C is borrowed exclusively.
        unsafe { product.shared(choose(&product)) }
    }
}

/// [`gemm`] for a B that a pack may be kept of, C with contiguous rows: to the bit what [`gemm_packed`] gives.
///
/// # Panics
/// As [`gemm_packed`]; where this machine has no packs.
#[track_caller]
pub fn gemm_like_packed<T: Gemm>(
    (m, k, n): (usize, usize, usize),
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    start: Start<'_, T>,
    c: MatMut<'_, T>,
) {
    let extents = Extents { m, k, n };
    check(extents, &a, &b, &start, &c);
    assert!(T::pack_len(k, n).is_some() && c.col_stride == 1, "gemm_like_packed: packs and contiguous rows");
    if m > 0 && n > 0 {
        let product = Product::unoriented(extents, a, b, start, c).settled();
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        let backend = if k == 0 { Backend::Naive } else { product.like_packed() };
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        let backend = Backend::Naive;
        // SAFETY: `check` compared every index with the memory's length; C is borrowed exclusively.
        unsafe { product.shared(backend) }
    }
}

/// How many elements a pack of a matrix of k rows and n columns takes, where this machine has products with packs and a tensor can
/// have so many.
pub fn pack_len<T: Gemm>(k: usize, n: usize) -> Option<usize> {
    T::pack_len(k, n)
}

/// Lays B, k x n, out for [`gemm_packed`].
///
/// # Panics
/// If B is smaller than its extents and strides say, or `to` has another length than [`pack_len`] says.
#[track_caller]
pub fn pack<T: Gemm>((k, n): (usize, usize), b: MatRef<'_, T>, to: &mut [T]) {
    check_inside("B", &b, k, n);
    assert_eq!(Some(to.len()), T::pack_len(k, n), "pack: the length of a pack of {k} x {n}");
    if k > 0 && n > 0 {
        let b = (b.data[b.offset..].as_ptr(), b.row_stride as isize, b.col_stride as isize);
        // SAFETY: all of B lies inside its memory, and `to` is as long as the pack.
        unsafe { shared::pack(Extents { m: 0, k, n }, b, to.as_mut_ptr()) }
    }
}

/// [`gemm`] with a B that [`pack`] has laid out.
///
/// # Panics
/// As there; if C's rows are not contiguous, or `packed` has another length than [`pack_len`] says.
#[track_caller]
pub fn gemm_packed<T: Gemm>(
    (m, k, n): (usize, usize, usize),
    a: MatRef<'_, T>,
    packed: &[T],
    start: Start<'_, T>,
    c: MatMut<'_, T>,
) {
    let b = MatRef { data: packed, offset: 0, row_stride: 0, col_stride: 0 };
    let extents = Extents { m, k, n };
    check(extents, &a, &b, &start, &c);
    assert_eq!(Some(packed.len()), T::pack_len(k, n), "gemm_packed: the length of a pack of {k} x {n}");
    assert!(c.col_stride == 1, "gemm_packed: C's rows must be contiguous");
    if m > 0 && n > 0 {
        let product = Product::unoriented(extents, a, b, start, c).settled();
        // SAFETY: `check` compared every index with the memory's length, and the pack has the right one.
        unsafe {
            if k == 0 {
                T::run(&product, Backend::Naive)
            } else {
                product.shared_packed(Address(packed.as_ptr()))
            }
        }
    }
}

impl<T: Gemm> Product<T> {
    /// For operands that were checked and a C that has elements.
    fn new(
        extents: Extents,
        a: MatRef<'_, T>,
        b: MatRef<'_, T>,
        start: Start<'_, T>,
        c: MatMut<'_, T>,
    ) -> Self {
        Product::unoriented(extents, a, b, start, c).oriented().settled()
    }

    /// [`Product::new`] with A and B as they are.
    fn unoriented(
        extents: Extents,
        a: MatRef<'_, T>,
        b: MatRef<'_, T>,
        start: Start<'_, T>,
        c: MatMut<'_, T>,
    ) -> Self {
        let Extents { m, k, n } = extents;
        // Where there is no second element, any stride will do; 1 counts as contiguous.
        let stride = |extent: usize, stride: usize| if extent <= 1 { 1 } else { stride as isize };
        let matrix = |x: &MatRef<'_, T>, rows, cols| {
            // Without elements, an operand may lie anywhere.
            let first = if rows == 0 || cols == 0 { x.data.as_ptr() } else { x.data[x.offset..].as_ptr() };
            (first, stride(rows, x.row_stride), stride(cols, x.col_stride))
        };
        let (a, b) = (matrix(&a, m, k), matrix(&b, k, n));
        let c = (c.data[c.offset..].as_mut_ptr(), stride(m, c.row_stride), stride(n, c.col_stride));
        let start = match start {
            Start::Zero => None,
            Start::Own => Some((c.0.cast_const(), c.1, c.2)),
            Start::Matrix(start) => Some(matrix(&start, m, n)),
        };
        Product { extents, a, b, start, c }
    }

    /// With a start whose rows are contiguous if C's are: another is copied into C.
    fn settled(self) -> Self {
        match self.start {
            // SAFETY: the operands were checked.
            Some((_, _, column)) if column != 1 && self.c.2 == 1 => unsafe { self.begun() },
            _ => self,
        }
    }

    /// The product as one whose C has contiguous rows, if it can: that of the transposes gives the transpose.
    fn oriented(self) -> Self {
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
    unsafe fn begun(mut self) -> Self {
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
    fn backend(&self) -> Backend {
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
    unsafe fn naive(&self)
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
                thread_local!(static SCRATCH: RefCell<Buffer<$type>> = RefCell::new(Buffer::empty()));
                SCRATCH.with_borrow_mut(|scratch| {
                    if scratch.capacity() < len {
                        let larger = Buffer::zeroed(len, len);
                        *scratch = larger.unwrap_or_else(|| memory::refuse::<$type>(&[len]));
                    }
                    work(scratch.as_mut_room().as_mut_ptr())
                })
            }
        }
    };
}

implement!(f32, matrixmultiply::sgemm);
implement!(f64, matrixmultiply::dgemm);
