//! Views: other extents and strides over the same storage, nothing copied.

use wengert_kernel::memory::layout::Axes;

use super::Tensor;
use crate::base::dims::{Dims, OfTensor, axis_of, checked_count};
use crate::base::error::{Error, Result};
use crate::tensor::Element;

/// [`Tensor::select`] of whatever is seen through `axes`.
pub(crate) fn select(axes: &mut Axes<'_>, dim: isize, index: usize) -> Result<()> {
    let axis = axis_of("select", dim, axes.shape().len())?;
    if index >= axes.shape()[axis] {
        let expected = format!("below {} in shape {:?}", axes.shape()[axis], axes.shape());
        return Err(Error::argument("select", "index", expected, index));
    }
    axes.select(axis, index);
    Ok(())
}

/// [`Tensor::narrow`] of whatever is seen through `axes`.
pub(crate) fn narrow(axes: &mut Axes<'_>, dim: isize, start: usize, length: usize) -> Result<()> {
    let axis = axis_of("narrow", dim, axes.shape().len())?;
    if start.checked_add(length).is_none_or(|end| end > axes.shape()[axis]) {
        let expected = format!("at most {} in shape {:?}", axes.shape()[axis], axes.shape());
        return Err(Error::argument("narrow", "start + length", expected, format!("{start} + {length}")));
    }
    axes.narrow(axis, start, length);
    Ok(())
}

/// [`Tensor::slice`] of whatever is seen through `axes`.
pub(crate) fn slice(axes: &mut Axes<'_>, dim: isize, start: usize, end: usize, step: usize) -> Result<()> {
    let axis = axis_of("slice", dim, axes.shape().len())?;
    if step == 0 {
        return Err(Error::argument("slice", "step", "at least 1", step));
    }
    let end = end.min(axes.shape()[axis]);
    let start = start.min(end);
    axes.narrow(axis, start, end - start);
    axes.step(axis, step);
    Ok(())
}

impl<T: Element> Tensor<T> {
    fn axis(&self, operation: &'static str, dim: isize) -> Result<usize> {
        axis_of(operation, dim, self.rank())
    }

    /// The slice at `index` of axis `dim`, without that axis (`torch.select`).
    ///
    /// # Errors
    /// If there is no such axis or index.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from([[1i64, 2], [3, 4]]);
    /// assert_eq!(x.select(1, 0)?.to_vec(), vec![1, 3]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "index")]
    pub fn select(&self, dim: isize, index: usize) -> Result<Self> {
        self.try_seen(|axes| select(axes, dim, index))
    }

    /// `length` entries of axis `dim` from `start` on (`torch.narrow`). Numbers that do not fit are an error,
    /// for they come with the data; [`Variable::narrow`](crate::Variable::narrow), a step of a formula,
    /// panics.
    ///
    /// # Errors
    /// If there is no such axis, or `start + length` is beyond its extent.
    #[doc(alias = "slice_in_dim")]
    pub fn narrow(&self, dim: isize, start: usize, length: usize) -> Result<Self> {
        self.try_seen(|axes| narrow(axes, dim, start, length))
    }

    /// [`Tensor::narrow`] to entries that are there.
    #[inline]
    pub(crate) fn narrow_at(&self, axis: usize, start: usize, length: usize) -> Self {
        self.seen(|axes| axes.narrow(axis, start, length))
    }

    /// Every `step`-th entry of axis `dim` from `start` to before `end` (`x[start:end:step]`), as far as
    /// there are entries.
    ///
    /// # Errors
    /// If there is no such axis, or `step` is 0.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from([0i64, 1, 2, 3, 4]);
    /// assert_eq!(x.slice(0, 1, 5, 2)?.to_vec(), vec![1, 3]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn slice(&self, dim: isize, start: usize, end: usize, step: usize) -> Result<Self> {
        self.try_seen(|axes| slice(axes, dim, start, end, step))
    }

    /// The axes in the order `dims` (`torch.permute`).
    ///
    /// # Errors
    /// If `dims` does not name each axis once.
    #[doc(alias = "movedim")]
    #[doc(alias = "moveaxis")]
    pub fn permute(&self, dims: &[isize]) -> Result<Self> {
        let axes = dims.iter().map(|&d| self.axis("permute", d)).collect::<Result<Vec<_>>>()?;
        let mut seen = vec![false; self.rank()];
        axes.iter().for_each(|&a| seen[a] = true);
        if axes.len() != self.rank() || seen.contains(&false) {
            let expected = format!("each of the {} axes once", self.rank());
            return Err(Error::argument("permute", "dims", expected, format!("{dims:?}")));
        }
        Ok(self.seen(|of_this| of_this.permute(&axes)))
    }

    /// Axes `dim0` and `dim1` exchanged (`torch.transpose`).
    ///
    /// # Errors
    /// If there is no such axis.
    #[doc(alias = "swapaxes")]
    #[doc(alias = "swapdims")]
    pub fn transpose(&self, dim0: isize, dim1: isize) -> Result<Self> {
        let (a, b) = (self.axis("transpose", dim0)?, self.axis("transpose", dim1)?);
        Ok(self.seen(|axes| axes.swap(a, b)))
    }

    /// The last two axes exchanged; a tensor of fewer axes is itself.
    #[doc(alias = "T")]
    #[doc(alias = "mT")]
    #[doc(alias = "transpose_last")]
    pub fn t(&self) -> Self {
        if self.rank() < 2 { self.clone() } else { self.transpose(-2, -1).expect("two axes") }
    }

    /// The elements in another shape: a view where strides allow it, else a copy (`torch.reshape`). A shape
    /// that does not fit is an error, for it comes with the data;
    /// [`Variable::reshape`](crate::Variable::reshape), a step of a formula, panics.
    ///
    /// # Errors
    /// If the number of elements would change, or there is no memory for a copy.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from([[1i64, 2], [3, 4]]);
    /// assert_eq!(x.reshape([4])?.to_vec(), vec![1, 2, 3, 4]);
    /// assert_eq!(x.t().reshape([4])?.to_vec(), vec![1, 3, 2, 4]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn reshape(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        let shape = Dims::from(shape.as_ref());
        if checked_count(&shape) != Some(self.numel()) {
            let expected = format!("a shape of {} elements for {:?}", self.numel(), self.shape());
            return Err(Error::shape("reshape", expected, format!("{shape:?}")));
        }
        if shape == *self.dims() {
            return Ok(self.clone());
        }
        let strides = self.viewed_as(&shape);
        if let Some(view) = strides.and_then(|strides| self.reshaped(shape.clone(), strides)) {
            return Ok(view);
        }
        let strides = shape.row_major();
        Ok(self.copied("reshape")?.with_layout(0, shape, strides))
    }

    /// The elements in another shape, under another name in PyTorch (`torch.Tensor.view`):
    /// [`Tensor::reshape`], which copies where PyTorch's refuses.
    ///
    /// # Errors
    /// If the number of elements would change, or there is no memory for a copy.
    pub fn view(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        self.reshape(shape)
    }

    /// None while other parts of the storage are being written, if it does not lie in order.
    fn reshaped(&self, shape: Dims, strides: Dims) -> Option<Self> {
        self.elements().with_layout(self.storage_offset(), shape, strides).map(Tensor::from)
    }

    /// The strides with which `shape` shows the same elements in the same order, if there are any.
    fn viewed_as(&self, shape: &Dims) -> Option<Dims> {
        let mut strides = shape.row_major();
        if self.is_contiguous() {
            return Some(strides);
        }
        // Old and new axes are matched in runs of equal extent; inside a run the old axes must lie
        // one behind the other.
        let old: Vec<(usize, usize)> = self
            .shape()
            .iter()
            .copied()
            .zip(self.strides().iter().copied())
            .filter(|&(n, _)| n != 1)
            .collect();
        let (mut i, mut j) = (0, 0);
        while i < old.len() {
            let (first, mut old_count) = (j, old[i].0);
            let mut new_count = 1;
            let run = i;
            while new_count != old_count || (j < shape.len() && shape[j] == 1) {
                if new_count < old_count || (new_count == old_count && j < shape.len()) {
                    new_count *= shape[j];
                    j += 1;
                } else {
                    i += 1;
                    old_count *= old[i].0;
                }
            }
            let lies_in_order = old[run..=i].windows(2).all(|w| w[0].1 == w[1].0 * w[1].1);
            if !lies_in_order {
                return None;
            }
            let mut step = old[i].1;
            for axis in (first..j).rev() {
                strides[axis] = step;
                step *= shape[axis];
            }
            i += 1;
        }
        Some(strides)
    }

    /// The tensor repeated along new leading axes and along axes of extent 1 by a stride of 0
    /// (`torch.expand`).
    ///
    /// # Errors
    /// If it does not broadcast to `shape`, or that has more elements than can be counted in an `isize`.
    #[doc(alias = "broadcast_to")]
    pub fn expand(&self, shape: &[usize]) -> Result<Self> {
        let misfit = || {
            Error::shape(
                "expand",
                format!("a shape that {:?} broadcasts to", self.shape()),
                format!("{shape:?}"),
            )
        };
        let extra = shape.len().checked_sub(self.rank()).ok_or_else(misfit)?;
        if self.shape().iter().zip(&shape[extra..]).any(|(&own, &extent)| own != extent && own != 1) {
            return Err(misfit());
        }
        let shape = Dims::from(shape).sized("expand")?;
        Ok(self.seen(|axes| axes.expand(&shape)))
    }

    /// Axis `dim` removed if its extent is 1, else the tensor itself (`torch.squeeze`).
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn squeeze(&self, dim: isize) -> Result<Self> {
        let axis = self.axis("squeeze", dim)?;
        if self.shape()[axis] == 1 { self.select(dim, 0) } else { Ok(self.clone()) }
    }

    /// A new axis of extent 1 before axis `dim`; -1 appends it (`torch.unsqueeze`).
    ///
    /// # Errors
    /// If `dim` is no place among the axes.
    #[doc(alias = "expand_dims")]
    #[doc(alias = "newaxis")]
    pub fn unsqueeze(&self, dim: isize) -> Result<Self> {
        let axis = axis_of("unsqueeze", dim, self.rank() + 1)?;
        Ok(self.seen(|axes| axes.insert(axis)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(shape: &[usize]) -> Tensor<i64> {
        Tensor::from_fn(shape, |i| i as i64)
    }

    #[test]
    fn reshape_views_where_strides_allow_and_copies_elsewhere() {
        let x = counted(&[4, 6]);
        let narrowed = x.narrow(1, 1, 4).unwrap();
        let split = narrowed.reshape([2, 2, 2, 2]).unwrap();
        assert!(split.shares_storage(&x));
        assert_eq!(split.to_vec(), narrowed.to_vec());
        let merged = narrowed.reshape([16]).unwrap();
        assert!(!merged.shares_storage(&x));
        assert_eq!(merged.to_vec(), narrowed.to_vec());
        let permuted = counted(&[2, 3, 4]).permute(&[2, 0, 1]).unwrap();
        let back = permuted.reshape([4, 1, 6, 1]).unwrap();
        assert!(back.shares_storage(&permuted));
        assert_eq!(back.to_vec(), permuted.to_vec());
        assert_eq!(x.select(0, 1).unwrap().reshape([1, 6, 1]).unwrap().to_vec(), vec![6, 7, 8, 9, 10, 11]);
        assert_eq!(Tensor::<i64>::zeros([0, 3]).t().reshape([0]).unwrap().numel(), 0);
    }

    #[test]
    fn views_share_storage_and_refuse_what_lies_outside() {
        let x = counted(&[3, 4]);
        assert!(x.narrow(0, 1, 2).unwrap().shares_storage(&x));
        assert_eq!(x.slice(1, 1, 9, 2).unwrap().to_vec(), vec![1, 3, 5, 7, 9, 11]);
        assert_eq!(x.expand(&[2, 3, 4]).unwrap().select(0, 1).unwrap().to_vec(), x.to_vec());
        assert_eq!(x.unsqueeze(-1).unwrap().shape(), &[3, 4, 1]);
        assert_eq!(x.unsqueeze(1).unwrap().squeeze(1).unwrap().shape(), &[3, 4]);
        assert!(x.narrow(0, 2, 2).is_err() && x.select(0, 3).is_err() && x.permute(&[0, 0]).is_err());
        assert_eq!(
            x.reshape([5]).unwrap_err().to_string(),
            "reshape: expected a shape of 12 elements for [3, 4], got [5]"
        );
    }
}
