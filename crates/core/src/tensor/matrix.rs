//! A tensor seen as a matrix, as products read it.

use wengert_kernel::gemm::MatRef;

use super::Tensor;
use crate::tensor::Element;

/// The last two axes of a tensor, the way round that a product wants: nothing is made for it, as for a
/// view.
pub(crate) struct Matrix<'t, T: Element> {
    pub(crate) tensor: &'t Tensor<T>,
    pub(crate) extents: [usize; 2],
    pub(crate) strides: [usize; 2],
    /// Whether rows and columns have changed places.
    is_transposed: bool,
}

impl<T: Element> Clone for Matrix<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Element> Copy for Matrix<'_, T> {}

impl<'t, T: Element> Matrix<'t, T> {
    /// As they are.
    #[inline]
    pub(crate) fn of(tensor: &'t Tensor<T>) -> Self {
        let (shape, strides) = (tensor.shape(), tensor.strides());
        let [.., rows, columns] = *shape else { panic!("a matrix has two axes, got shape {shape:?}") };
        let [.., down, across] = *strides else { unreachable!("as many strides as axes") };
        Matrix { tensor, extents: [rows, columns], strides: [down, across], is_transposed: false }
    }

    /// Rows as columns.
    #[inline]
    pub(crate) fn t(self) -> Self {
        let ([rows, columns], [down, across]) = (self.extents, self.strides);
        Matrix {
            extents: [columns, rows],
            strides: [across, down],
            is_transposed: !self.is_transposed,
            ..self
        }
    }

    /// The `batch`-th one, in row-major order of the axes before the last two.
    #[inline]
    pub(crate) fn at(self, batch: usize) -> MatRef<'t, T> {
        let matrix = MatRef::in_batch(self.tensor.as_view(), batch);
        if self.is_transposed { matrix.t() } else { matrix }
    }
}
