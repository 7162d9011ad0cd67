//! Matrices as products see them.

use std::marker::PhantomData;

use crate::memory::view::View;

/// A matrix in memory that is read: where element (0, 0) lies, and how far rows and columns are apart.
#[derive(Debug)]
pub struct MatRef<'a, T> {
    pub(super) start: *const T,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
    owner: PhantomData<&'a [T]>,
}

/// A matrix in memory that is written.
#[derive(Debug)]
pub struct MatMut<'a, T> {
    pub(super) start: *mut T,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
    owner: PhantomData<&'a mut [T]>,
}

/// The matrix that a product is added to.
#[derive(Debug)]
pub enum Start<'a, T> {
    /// Zeros: C is not read.
    Zero,
    /// The elements that C holds.
    Own,
    /// Another matrix of C's extents; strides of 0 repeat it.
    Matrix(MatRef<'a, T>),
}

impl<T> Clone for MatRef<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for MatRef<'_, T> {}

impl<T> Clone for Start<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Start<'_, T> {}

/// Where the first element is from the start of memory, and how many elements lie from it to the last one.
#[track_caller]
fn check_inside(
    len: usize,
    offset: usize,
    (rows, cols): (usize, usize),
    (row_stride, col_stride): (usize, usize),
) -> usize {
    // Without elements it may lie anywhere.
    if rows == 0 || cols == 0 {
        return 0;
    }
    let reach = || {
        let (down, across) = ((rows - 1).checked_mul(row_stride)?, (cols - 1).checked_mul(col_stride)?);
        offset.checked_add(down)?.checked_add(across)?.checked_add(1)
    };
    assert!(
        reach().is_some_and(|reach| reach <= len),
        "a matrix of {rows} x {cols}, strides {row_stride} and {col_stride}, at {offset} leaves its {len} \
         elements"
    );
    offset
}

impl<'a, T> MatRef<'a, T> {
    /// The matrix whose element (i, j) lies at `offset + i * row_stride + j * col_stride` of `data`.
    ///
    /// # Panics
    /// If it leaves `data`.
    #[track_caller]
    pub fn of(data: &'a [T], offset: usize, extents: (usize, usize), strides: (usize, usize)) -> Self {
        let offset = check_inside(data.len(), offset, extents, strides);
        MatRef {
            start: data[offset..].as_ptr(),
            rows: extents.0,
            cols: extents.1,
            row_stride: strides.0,
            col_stride: strides.1,
            owner: PhantomData,
        }
    }

    /// The matrix of the last two axes of `view` at the `batch`-th index, in row-major order, of those
    /// before.
    ///
    /// # Panics
    /// If there is no such matrix.
    #[inline]
    #[track_caller]
    pub fn in_batch(view: View<'a, T>, batch: usize) -> Self {
        let (shape, strides) = (view.layout().shape(), view.layout().strides());
        let [leading @ .., rows, cols] = &shape[..] else {
            panic!("a matrix has two axes, got shape {shape:?}")
        };
        let [.., row_stride, col_stride] = strides[..] else { unreachable!("as many strides as axes") };
        let (mut index, mut offset) = (batch, 0);
        for (&extent, &stride) in leading.iter().zip(&strides[..]).rev() {
            assert!(extent > 0, "a matrix of nothing");
            offset += index % extent * stride;
            index /= extent;
        }
        assert!(index == 0, "matrix {batch} of shape {shape:?}");
        let offset = if shape.contains(&0) { 0 } else { offset };
        // SAFETY: the index is one of an element of the view, or there is none and the offset is zero.
        let start = unsafe { view.start().add(offset) };
        MatRef { start, rows: *rows, cols: *cols, row_stride, col_stride, owner: PhantomData }
    }

    /// A matrix of so many rows, each of which is the vector that the view is.
    ///
    /// # Panics
    /// If the view has not one axis.
    #[inline]
    #[track_caller]
    pub fn repeated(view: View<'a, T>, rows: usize) -> Self {
        let (shape, strides) = (view.layout().shape(), view.layout().strides());
        let ([cols], [col_stride]) = (&shape[..], &strides[..]) else {
            panic!("a vector has one axis, got shape {shape:?}")
        };
        let (cols, col_stride) = (*cols, *col_stride);
        MatRef { start: view.start(), rows, cols, row_stride: 0, col_stride, owner: PhantomData }
    }

    /// The transposed matrix: rows as columns.
    #[inline]
    #[must_use]
    pub fn t(self) -> Self {
        let MatRef { rows, cols, row_stride, col_stride, .. } = self;
        MatRef { rows: cols, cols: rows, row_stride: col_stride, col_stride: row_stride, ..self }
    }

    /// Where a product reads it.
    pub(super) fn located(&self) -> (*const T, isize, isize) {
        (self.start, stride(self.rows, self.row_stride), stride(self.cols, self.col_stride))
    }
}

impl<'a, T> MatMut<'a, T> {
    /// The matrix whose element (i, j) lies at `offset + i * row_stride + j * col_stride` of `data`.
    ///
    /// # Panics
    /// If it leaves `data`, or elements overlap: of the strides, the greater must step over all that the
    /// lesser reaches.
    #[track_caller]
    pub fn of(
        data: &'a mut [T],
        offset: usize,
        (rows, cols): (usize, usize),
        strides: (usize, usize),
    ) -> Self {
        let offset = check_inside(data.len(), offset, (rows, cols), strides);
        let (row_stride, col_stride) = strides;
        let (few, great, many, less) = if row_stride >= col_stride {
            (rows, row_stride, cols, col_stride)
        } else {
            (cols, col_stride, rows, row_stride)
        };
        let nothing = rows == 0 || cols == 0;
        assert!(
            nothing || (many == 1 || less > 0) && (few == 1 || great > (many - 1) * less),
            "elements of a matrix of {rows} x {cols}, strides {row_stride} and {col_stride}, overlap"
        );
        MatMut { start: data[offset..].as_mut_ptr(), rows, cols, row_stride, col_stride, owner: PhantomData }
    }

    /// A matrix of rows one behind the other in `data`.
    ///
    /// # Panics
    /// If `data` has not as many elements.
    #[track_caller]
    pub fn rows(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        MatMut::of(data, 0, (rows, cols), (cols.max(1), 1))
    }

    /// Where a product writes it.
    pub(super) fn located(&self) -> (*mut T, isize, isize) {
        (self.start, stride(self.rows, self.row_stride), stride(self.cols, self.col_stride))
    }
}

/// Where there is no second element, any stride will do; 1 counts as contiguous.
fn stride(extent: usize, stride: usize) -> isize {
    if extent <= 1 { 1 } else { stride as isize }
}
