//! Parts of a tensor as its views see them.

use wengert_kernel::memory::layout::{Axes, Layout};
use wengert_kernel::number::Arithmetic;
use wengert_kernel::rows::copy;

use super::{Element, Tensor};
use crate::base::dims::Dims;
use crate::base::error::Result;

/// Where a view's elements lie in a row-major tensor of the base's shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Region {
    pub(crate) base: Dims,
    pub(crate) offset: usize,
    pub(crate) shape: Dims,
    pub(crate) strides: Dims,
}

impl Region {
    /// The region that a view of a row-major tensor of shape `base` covers.
    pub(crate) fn of(base: &[usize], view: impl FnOnce(&mut Axes<'_>) -> Result<()>) -> Result<Region> {
        let layout = Layout::of_view(Dims::from(base), view)?;
        let (shape, strides) = (layout.shape().clone(), layout.strides().clone());
        Ok(Region { base: Dims::from(base), offset: layout.offset(), shape, strides })
    }

    /// Adds `source` to its region of a row-major tensor.
    pub(crate) fn add<T: Element + Arithmetic>(&self, target: &mut [T], source: &Tensor<T>) {
        if source.numel() > 0 {
            copy::update(&mut target[self.offset..], &self.strides, source.as_view(), |a, b| a + b);
        }
    }

    /// `source` at its region of a tensor that is zero elsewhere.
    pub(crate) fn embed<T: Element>(&self, source: &Tensor<T>) -> Tensor<T> {
        Tensor::build(self.base.clone(), |out| {
            out.fill(T::ZERO);
            if source.numel() > 0 {
                copy::place(&mut out[self.offset..], &self.strides, source.as_view());
            }
        })
    }
}
