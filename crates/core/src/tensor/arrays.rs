//! Tensors from and as arrays of ndarray.

use ndarray::{Array, ArrayViewD, Dimension};

use super::{Element, Tensor};
use crate::base::dims::Dims;

impl<T: Element> Tensor<T> {
    /// Takes over an owned ndarray array's memory without copying, whatever the order of its axes.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let a = ndarray::arr2(&[[1.0f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(Tensor::from_ndarray(a), Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]));
    /// ```
    pub fn from_ndarray<D: Dimension>(array: Array<T, D>) -> Self {
        let shape: Dims = array.shape().iter().copied().collect();
        let strides: Option<Dims> = array.strides().iter().map(|&s| usize::try_from(s).ok()).collect();
        match strides {
            Some(strides) => {
                let (elements, offset) = array.into_raw_vec_and_offset();
                let tensor = Tensor::from(elements);
                tensor.with_layout(offset.unwrap_or(0), shape, strides)
            }
            // A reversed axis has no counterpart here.
            None => {
                let elements = array.iter().copied().collect();
                Tensor::from_vec(elements, &*shape).expect("ndarray counts like we do")
            }
        }
    }

    /// An ndarray view of the elements, without copying.
    ///
    /// # Panics
    /// If the tensor has no elements, but other extents whose product does not fit an `isize`: ndarray has
    /// no such arrays.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.t().as_ndarray()[[0, 1]], 3.0);
    /// ```
    #[track_caller]
    pub fn as_ndarray(&self) -> ArrayViewD<'_, T> {
        match self.as_view().as_ndarray() {
            Ok(view) => view,
            Err(error) => panic!("as_ndarray: {error} for shape {:?}", self.shape()),
        }
    }
}
