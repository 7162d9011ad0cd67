//! The Gaussian error linear unit.

use std::fmt;

use wengert_core::{Float, Result, Variable};

use crate::line::answered;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

/// `x P(X < x)` for a standard normal `X`, exact or by `tanh` (`torch.nn.GELU`; Hendrycks and Gimpel 2016,
/// arXiv 1606.08415).
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::Gelu;
/// let x = Variable::new(Tensor::from([0.75f32]));
/// assert_eq!(Gelu::new().forward(&x)?.to_vec(), x.gelu().to_vec());
/// assert_eq!(Gelu::tanh().forward(&x)?.to_vec(), x.gelu_tanh().to_vec());
/// assert_eq!(Gelu::tanh().to_string(), "GELU(approximate='tanh')");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "GELU")]
#[derive(Clone, Copy, Debug)]
pub struct Gelu<T: Float = f32> {
    by_tanh: bool,
    element: std::marker::PhantomData<T>,
}

impl Gelu {
    /// The exact function (`approximate='none'`).
    #[allow(clippy::new_without_default, reason = "a default would not infer its element type")]
    #[must_use]
    pub fn new() -> Self {
        Gelu { by_tanh: false, element: std::marker::PhantomData }
    }

    /// The approximation by `tanh` (`approximate='tanh'`).
    #[must_use]
    pub fn tanh() -> Self {
        Gelu { by_tanh: true, ..Gelu::new() }
    }
}

impl<T: Float> Module for Gelu<T> {
    type Element = T;
    fn visit(&self, _: &mut Visitor<'_, T>) {}
    fn visit_mut(&mut self, _: &mut VisitorMut<'_, T>) {}
    fn settings(&self) -> String {
        self.to_string()
    }
}

impl<T: Float> Cast for Gelu<T> {
    type To<U: Float> = Gelu<U>;
    fn cast_with<U: Float>(&self, _: &mut Memo<U>) -> Gelu<U> {
        Gelu { by_tanh: self.by_tanh, element: std::marker::PhantomData }
    }
}

forward!(Gelu<T>);

impl<T: Float> Forward for Gelu<T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        let gelu = || Ok(if self.by_tanh { x.gelu_tanh() } else { x.gelu() });
        Watch::of(self).output(answered("GELU", gelu)?)
    }
}

impl<T: Float> fmt::Display for Gelu<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GELU(approximate='{}')", if self.by_tanh { "tanh" } else { "none" })
    }
}
