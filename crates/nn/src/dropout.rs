//! Dropout as a module.

use std::fmt;

use wengert_core::{Error, Float, Result, Variable};

use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::repr::python;
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

/// Dropout: in training each element is zero with probability `p`, the others scaled by `1 / (1 - p)`
/// (`torch.nn.Dropout`).
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{Dropout, Module};
/// let mut dropout = Dropout::new(0.5)?;
/// dropout.eval();
/// let x = Variable::new(Tensor::<f32>::ones([4]));
/// assert_eq!(dropout.forward(&x)?.to_vec(), vec![1.0; 4]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dropout<T: Float = f32> {
    p: f64,
    training: bool,
    element: std::marker::PhantomData<T>,
}

impl Dropout {
    /// Dropout with probability `p`, in training mode.
    ///
    /// # Errors
    /// If `p` is not in [0, 1].
    pub fn new(p: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::argument("Dropout", "p", "in [0, 1]", p));
        }
        Ok(Dropout { p, training: true, element: std::marker::PhantomData })
    }
}

impl<T: Float> Module for Dropout<T> {
    type Element = T;

    fn visit(&self, _: &mut Visitor<'_, T>) {}

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, T>) {
        visitor.mode(&mut self.training);
    }

    fn settings(&self) -> String {
        self.to_string()
    }
}

impl<T: Float> Cast for Dropout<T> {
    type To<U: Float> = Dropout<U>;

    fn cast_with<U: Float>(&self, _: &mut Memo<U>) -> Dropout<U> {
        Dropout { p: self.p, training: self.training, element: std::marker::PhantomData }
    }
}

forward!(Dropout<T>);

impl<T: Float> Forward for Dropout<T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        Watch::of(self).output(if self.training { x.dropout(self.p)? } else { x.clone() })
    }
}

impl<T: Float> fmt::Display for Dropout<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dropout(p={}, inplace=False)", python(self.p))
    }
}
