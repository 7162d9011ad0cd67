//! Tensors taken apart along an axis, and axes taken together: views, of tensors of every element.

use super::{Element, Tensor, memory};
use crate::base::dims::{Dims, axis_of, product};
use crate::base::error::{Error, Result};
use crate::base::refusal::or_refused;

/// The axis `dim` of a shape, if it is as long as the parts together.
pub(crate) fn axis_of_parts(shape: &[usize], extents: &[usize], dim: isize) -> Result<usize> {
    let axis = axis_of("split", dim, shape.len())?;
    let sum = extents.iter().try_fold(0usize, |sum, &extent| sum.checked_add(extent));
    if sum == Some(shape[axis]) {
        return Ok(axis);
    }
    let expected = format!("extents that add up to {}", shape[axis]);
    Err(Error::shape("split", expected, format!("{extents:?}")))
}

/// The axis `dim` of a shape, and the extent of each of `count` equal parts of it.
pub(crate) fn equal_parts(shape: &[usize], count: usize, dim: isize) -> Result<(usize, usize)> {
    let axis = axis_of("parts", dim, shape.len())?;
    let extent = shape[axis];
    if count > 0 && extent.is_multiple_of(count) {
        return Ok((axis, extent / count));
    }
    Err(Error::shape("parts", format!("{count} equal parts of axis {axis}"), format!("extent {extent}")))
}

/// The extents of at most `chunks` parts of axis `dim`.
pub(crate) fn chunk_extents(shape: &[usize], chunks: usize, dim: isize) -> Result<Vec<usize>> {
    if chunks == 0 {
        return Err(Error::shape("chunk", "at least one chunk", chunks));
    }
    let extent = shape[axis_of("chunk", dim, shape.len())?];
    if extent == 0 {
        return Ok(memory::filled(0, chunks));
    }
    let size = extent.div_ceil(chunks);
    let mut extents = memory::filled(size, extent.div_ceil(size));
    let last = extents.len() - 1;
    extents[last] = extent - last * size;
    Ok(extents)
}

/// A shape with axes `start` to `end` as one.
pub(crate) fn flattened(shape: &[usize], start: isize, end: isize) -> Result<Dims> {
    if shape.is_empty() {
        return Ok([1].into_iter().collect());
    }
    let axis = |dim| axis_of("flatten", dim, shape.len());
    let (first, last) = (axis(start)?, axis(end)?);
    if first > last {
        let expected = format!("at most end_dim, {end}, in shape {shape:?}");
        return Err(Error::argument("flatten", "start_dim", expected, start));
    }
    let whole = [product(&shape[first..=last])];
    Ok(shape[..first].iter().chain(&whole).chain(&shape[last + 1..]).copied().collect())
}

impl<T: Element> Tensor<T> {
    /// Axes `start_dim` to `end_dim`, both included, as one: a view where strides allow it, else a copy; a
    /// scalar becomes a vector of one element (`torch.flatten`).
    ///
    /// # Errors
    /// If there is no such axis, the first is behind the last, or there is no memory for a copy.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::<i64>::zeros([2, 3, 4]);
    /// assert_eq!((x.flatten(0, -1)?.shape(), x.flatten(1, 2)?.shape()), (&[24][..], &[2, 12][..]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "ravel")]
    pub fn flatten(&self, start_dim: isize, end_dim: isize) -> Result<Self> {
        self.reshape(flattened(self.shape(), start_dim, end_dim)?)
    }

    /// Parts of the given extents along axis `dim`, all of them views (`torch.split`).
    ///
    /// # Errors
    /// If there is no such axis, or the extents don't add up to it.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let parts = Tensor::from([1i64, 2, 3]).split(&[2, 1], 0)?;
    /// assert_eq!((parts[0].to_vec(), parts[1].to_vec()), (vec![1, 2], vec![3]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "array_split")]
    pub fn split(&self, extents: &[usize], dim: isize) -> Result<Vec<Self>> {
        let axis = axis_of_parts(self.shape(), extents, dim)?;
        or_refused("split", || {
            let mut parts = memory::vec_of(extents.len());
            let mut start = 0;
            for &extent in extents {
                parts.push(self.narrow_at(axis, start, extent));
                start += extent;
            }
            Ok(parts)
        })
    }

    /// `N` parts of the same extent along axis `dim`, all of them views.
    ///
    /// # Errors
    /// If there is no such axis, or it is not `N` times an extent.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let [inputs, targets] = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]).parts(1)?;
    /// assert_eq!((inputs.to_vec(), targets.to_vec()), (vec![1.0, 3.0], vec![2.0, 4.0]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn parts<const N: usize>(&self, dim: isize) -> Result<[Self; N]> {
        let (axis, extent) = equal_parts(self.shape(), N, dim)?;
        Ok(std::array::from_fn(|k| self.narrow_at(axis, k * extent, extent)))
    }

    /// Parts of equal extent along axis `dim`, at most `chunks`, the last one smaller if need be, all of them
    /// views (`torch.chunk`).
    ///
    /// # Errors
    /// If there is no such axis, or `chunks` is 0.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let chunks = Tensor::from([1i64, 2, 3, 4, 5]).chunk(2, 0)?;
    /// assert_eq!((chunks[0].to_vec(), chunks[1].to_vec()), (vec![1, 2, 3], vec![4, 5]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn chunk(&self, chunks: usize, dim: isize) -> Result<Vec<Self>> {
        or_refused("chunk", || self.split(&chunk_extents(self.shape(), chunks, dim)?, dim))
    }

    /// The slices along axis `dim`, without it, all of them views (`torch.unbind`).
    ///
    /// # Errors
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let rows = Tensor::from([[true, false], [false, false]]).unbind(0)?;
    /// assert_eq!((rows[0].any(), rows[1].any()), (true, false));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "unstack")]
    pub fn unbind(&self, dim: isize) -> Result<Vec<Self>> {
        let slices = self.shape()[axis_of("unbind", dim, self.rank())?];
        or_refused("unbind", || {
            let mut parts = memory::vec_of(slices);
            for index in 0..slices {
                parts.push(self.select(dim, index)?);
            }
            Ok(parts)
        })
    }
}
