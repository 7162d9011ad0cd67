//! Activations along an axis.

use std::fmt;

use wengert_core::{Error, Float, Result, Variable};

use super::Constant;
use super::declare::activation;
use crate::line::answered;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

activation! {
    /// `e^x` divided by its sum along axis `dim` (`torch.nn.Softmax`).
    Softmax(dim: isize = 0), x => x.softmax(dim), "Softmax(dim={})"
}
activation! {
    /// The logarithm of the softmax along axis `dim` (`torch.nn.LogSoftmax`).
    LogSoftmax(dim: isize = 0), x => x.log_softmax(dim), "LogSoftmax(dim={})"
}
activation! {
    /// The softmax of `-x` along axis `dim` (`torch.nn.Softmin`).
    Softmin(dim: isize = 0), x => x.softmin(dim), "Softmin(dim={})"
}

/// `a sigmoid(b)` for the two halves `a` and `b` of axis `dim` (`torch.nn.GLU`; Dauphin et al. 2016, arXiv
/// 1612.08083).
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::Glu;
/// let x = Variable::new(Tensor::from([2.0f32, 4.0, 0.0, 1000.0]));
/// assert_eq!(Glu::new().forward(&x)?.to_vec(), vec![1.0, 4.0]);
/// let error = Glu::new().forward(&Tensor::ones([2, 3])).unwrap_err();
/// assert_eq!(error.to_string(), "GLU: expected an even extent of axis -1, got [2, 3]");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "GLU")]
#[derive(Clone, Copy, Debug)]
pub struct Glu<T: Float = f32> {
    dim: isize,
    element: std::marker::PhantomData<T>,
}

impl Glu {
    /// The activation over the halves of the last axis.
    #[allow(clippy::new_without_default, reason = "a default would not infer its element type")]
    #[must_use]
    pub fn new() -> Self {
        Glu { dim: -1, element: std::marker::PhantomData }
    }

    /// Sets the axis that has two halves; default -1.
    #[must_use]
    pub fn dim(mut self, dim: isize) -> Self {
        self.dim = dim;
        self
    }
}

impl<T: Float> Module for Glu<T> {
    type Element = T;
    fn visit(&self, _: &mut Visitor<'_, T>) {}
    fn visit_mut(&mut self, _: &mut VisitorMut<'_, T>) {}
    fn settings(&self) -> String {
        self.to_string()
    }
}

impl<T: Float> Cast for Glu<T> {
    type To<U: Float> = Glu<U>;
    fn cast_with<U: Float>(&self, _: &mut Memo<U>) -> Glu<U> {
        Glu { dim: self.dim, element: std::marker::PhantomData }
    }
}

forward!(Glu<T>);

impl<T: Float> Forward for Glu<T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        self.dim.check("GLU", "dim", x)?;
        let axis = self.dim.rem_euclid(x.rank() as isize) as usize;
        if !x.shape()[axis].is_multiple_of(2) {
            let expected = format!("an even extent of axis {}", self.dim);
            return Err(Error::shape("GLU", expected, format!("{:?}", x.shape())));
        }
        Watch::of(self).output(answered("GLU", || Ok(x.glu(self.dim)))?)
    }
}

impl<T: Float> fmt::Display for Glu<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GLU(dim={})", self.dim)
    }
}
