//! Indices and ranges of several axes of a variable.

use crate::base::error::expect;
use crate::tape::{Float, Variable};
use crate::tensor::{Step, TensorIndex, steps};

impl<T: Float> Variable<T> {
    /// The part that indices and ranges of the first axes name: an index takes its axis away, a range keeps
    /// it (`x[..., 2:5, 0]` in PyTorch). It is recorded as [`select`](Self::select) and
    /// [`narrow`](Self::narrow). As all views it panics where [`Tensor::i`](crate::Tensor::i) refuses.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]])).requires_grad_(true);
    /// x.i((-1, 1..)).sum().backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec(), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "index")]
    #[doc(alias = "getitem")]
    #[doc(alias = "slice")]
    #[track_caller]
    pub fn i(&self, index: impl TensorIndex) -> Variable<T> {
        let mut part = self.clone();
        for step in expect(steps(&index, self.shape())) {
            part = match step {
                Step::Select { axis, index } => part.select(axis as isize, index),
                Step::Narrow { axis, start, length } => part.narrow(axis as isize, start, length),
            };
        }
        part
    }
}
