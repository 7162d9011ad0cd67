//! Memory that is written part by part, while parts that are finished are already read.
//!
//! Cotangents of gates, or of time steps, are parts of one tensor. Who computes such a part writes it to its place, so that nobody has to
//! put the parts together. A [`Claim`] is the right to do that; the handle to read a part is made from the claim, after the write.

use smallvec::SmallVec;

use super::job::{Span, Target};
use crate::dims::Dims;
use crate::element::Element;
use crate::tensor::Tensor;

/// The right to write the elements of a tensor, once, before anybody reads them.
pub(crate) struct Claim<T: Element> {
    tensor: Tensor<T>,
    /// Whether it is all of a storage that nobody else holds.
    whole: bool,
}

impl<T: Element> Claim<T> {
    /// For a tensor just made.
    #[inline]
    pub(crate) fn of_new(tensor: Tensor<T>) -> Self {
        Claim { tensor, whole: true }
    }

    pub(crate) fn dims(&self) -> &Dims {
        self.tensor.dims()
    }

    pub(crate) fn stride_dims(&self) -> &Dims {
        self.tensor.stride_dims()
    }

    /// Whether what is claimed lies in row-major order and has the extents of `other`, which does too.
    #[inline]
    pub(crate) fn lies_like(&self, other: &Tensor<T>) -> bool {
        self.whole || self.tensor.lies_like(other)
    }

    /// Whether `tensor` lies in the same storage.
    pub(crate) fn shares_storage(&self, tensor: &Tensor<T>) -> bool {
        self.tensor.shares_storage(tensor)
    }

    /// Where a kernel writes.
    #[inline]
    pub(crate) fn target(&mut self) -> Target<'_, T> {
        if self.whole {
            return Target::from(self.tensor.fresh_room_mut());
        }
        let (shape, strides) = (self.tensor.shape(), self.tensor.strides());
        let last: usize = shape.iter().zip(strides).map(|(n, stride)| n.saturating_sub(1) * stride).sum();
        let len = if self.tensor.numel() == 0 { 0 } else { last + 1 };
        // SAFETY: a tensor's elements lie inside its storage.
        let start = unsafe { self.tensor.storage().buffer().address().add(self.tensor.storage_offset()) };
        Target::at(Span { start, len })
    }

    /// What has been written.
    #[inline]
    pub(crate) fn written(self) -> Tensor<T> {
        self.tensor
    }
}

/// A claim that is given away in parts that share no element.
pub(crate) struct Parts<T: Element> {
    whole: Tensor<T>,
    given: SmallVec<[bool; 8]>,
}

impl<T: Element> Parts<T> {
    /// `count` parts of what is claimed.
    pub(crate) fn new(claim: Claim<T>, count: usize) -> Self {
        Parts { whole: claim.tensor, given: SmallVec::from_elem(false, count) }
    }

    /// The claim to part `k`, unless it was given before: `part` views the whole, and views of different `k` share no element.
    pub(crate) fn give(&mut self, k: usize, part: impl FnOnce(&Tensor<T>) -> Tensor<T>) -> Option<Claim<T>> {
        if std::mem::replace(&mut self.given[k], true) {
            return None;
        }
        Some(Claim { tensor: part(&self.whole), whole: false })
    }

    /// What the parts are of.
    pub(crate) fn whole(&self) -> &Tensor<T> {
        &self.whole
    }
}
