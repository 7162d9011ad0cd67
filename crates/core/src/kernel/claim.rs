//! Memory that is written part by part, while parts that are finished are already read.
//!
//! Cotangents of gates, or of time steps, are parts of one tensor. Who computes such a part writes it to its place, so that nobody has to
//! put the parts together. A [`Claim`] is the right to do that; the handle to read a part is made from the claim, after the write.

use smallvec::SmallVec;

use super::job::{Span, Target};
use super::shared::Unique;
use crate::dims::Dims;
use crate::element::Element;
use crate::storage::{Layout, Storage};
use crate::tensor::Tensor;

/// The right to write some elements, once, before anybody reads them.
pub(crate) enum Claim<T: Element> {
    /// All of a storage just made.
    New(Unique<Storage<T>>),
    /// A part that views a storage which others hold, too.
    Part(Tensor<T>),
}

impl<T: Element> Claim<T> {
    #[inline]
    pub(crate) fn layout(&self) -> &Layout {
        match self {
            Claim::New(storage) => storage.layout(),
            Claim::Part(tensor) => tensor.layout(),
        }
    }

    pub(crate) fn dims(&self) -> &Dims {
        &self.layout().shape
    }

    pub(crate) fn stride_dims(&self) -> &Dims {
        &self.layout().strides
    }

    /// Whether what is claimed lies in row-major order and has the extents of `other`, which does too.
    #[inline]
    pub(crate) fn lies_like(&self, other: &Tensor<T>) -> bool {
        match self {
            Claim::New(_) => true,
            Claim::Part(tensor) => tensor.lies_like(other),
        }
    }

    /// Whether `tensor` lies in the same storage.
    pub(crate) fn shares_storage(&self, tensor: &Tensor<T>) -> bool {
        matches!(self, Claim::Part(part) if part.shares_storage(tensor))
    }

    /// Where a kernel writes.
    #[inline]
    pub(crate) fn target(&mut self) -> Target<'_, T> {
        match self {
            Claim::New(storage) => Target::from(storage.as_mut_room()),
            Claim::Part(tensor) => part_target(tensor),
        }
    }

    /// What has been written.
    #[inline]
    pub(crate) fn written(self) -> Tensor<T> {
        match self {
            Claim::New(storage) => Tensor::from(storage),
            Claim::Part(tensor) => tensor,
        }
    }
}

impl<'a, T: Element> Target<'a, T> {
    /// A result in the place of a cotangent that it is computed from: a kernel reads each element before it writes it. The cotangent is
    /// all of its storage, whose only holder takes it for the result from then on.
    #[inline]
    pub(crate) fn over(cotangent: &'a Tensor<T>) -> Self {
        let buffer = cotangent.storage().buffer();
        Target::at(Span { start: buffer.address(), len: buffer.as_room().len() })
    }
}

fn part_target<T: Element>(tensor: &mut Tensor<T>) -> Target<'_, T> {
    let len = tensor.reach();
    // SAFETY: a tensor's elements lie inside its storage.
    let start = unsafe { tensor.storage().buffer().address().add(tensor.storage_offset()) };
    Target::at(Span { start, len })
}

/// A claim that is given away in parts that share no element; idle until it begins.
pub(crate) struct Parts<T: Element> {
    whole: Option<Tensor<T>>,
    given: SmallVec<[bool; 8]>,
}

impl<T: Element> Default for Parts<T> {
    fn default() -> Self {
        Parts { whole: None, given: SmallVec::new() }
    }
}

impl<T: Element> Parts<T> {
    /// `count` parts of what is claimed.
    pub(crate) fn begin(&mut self, claim: Claim<T>, count: usize) {
        self.whole = Some(claim.written());
        self.given.clear();
        self.given.resize(count, false);
    }

    /// Lets go of what the parts are of.
    pub(crate) fn end(&mut self) {
        self.whole = None;
    }

    /// The claim to part `k`, unless it was given before: `part` views the whole, and views of different `k` share no element.
    pub(crate) fn give(&mut self, k: usize, part: impl FnOnce(&Tensor<T>) -> Tensor<T>) -> Option<Claim<T>> {
        let whole = self.whole.as_ref()?;
        if std::mem::replace(&mut self.given[k], true) {
            return None;
        }
        Some(Claim::Part(part(whole)))
    }

    /// What the parts are of, from the beginning to the end.
    pub(crate) fn whole(&self) -> Option<&Tensor<T>> {
        self.whole.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::plan::Plan;
    use crate::kernel::pointwise::Job;
    use crate::pool;

    crate::pointwise! { struct Double; fn eval(x) -> 1 { [2.0 * x] } }

    #[test]
    fn parts_are_written_to_their_place_while_others_are_read() {
        let shape = Dims::from(&[3, 4][..]);
        let mut parts = Parts::<f32>::default();
        parts.begin(Claim::New(pool::acquire(&shape)), 2);
        let source = Tensor::from_fn([3, 2], |i| i as f32);
        let mut write = |k: usize| {
            let mut claim = parts.give(k, |whole| whole.narrow_at(1, 2 * k, 2)).unwrap();
            let plan = Plan::new(&[3, 2], &[source.stride_dims(), claim.stride_dims()]);
            Job::planned(&plan, [source.raw()], [], [Some(claim.target())]).forward(&Double);
            claim.written()
        };
        let first = write(0);
        assert_eq!(first.to_vec(), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        let second = write(1);
        assert_eq!(first, second);
        assert_eq!(
            parts.whole().unwrap().to_vec(),
            [0.0, 2.0, 0.0, 2.0, 4.0, 6.0, 4.0, 6.0, 8.0, 10.0, 8.0, 10.0]
        );
        assert!(parts.give(0, |whole| whole.clone()).is_none());
    }
}
