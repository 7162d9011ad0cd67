//! Mean absolute error.

use wengert_core::{AsVariable, Float, Result, Variable};

use super::{loss_options, same_shape};
use crate::line::answered;

loss_options! {
    /// Options of [`l1_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::L1Loss;
    /// let (x, y) = (Variable::new(Tensor::from([1.0f64, 5.0])), Variable::new(Tensor::from([0.0, 2.0])));
    /// assert_eq!(L1Loss::default().weight(&Tensor::from([3.0, 1.0])).loss(&x, &y)?.item()?, 1.5);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct L1Loss {}
}

impl<T: Float> L1Loss<T> {
    /// The loss of this input and target.
    ///
    /// # Errors
    /// If [`l1_loss`] refuses its inputs, or for a weight or mask that does not fit.
    #[track_caller]
    pub fn loss(&self, input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
        answered("l1_loss", || {
            let (input, target) = (&input.as_variable(), &target.as_variable());
            same_shape("l1_loss", "a target", input, target)?;
            let counted = self.common.over("l1_loss", input.shape())?;
            let (input, target) = (counted.filled(input, 0.0), counted.filled(target, 0.0));
            Ok(counted.reduce((input - target).abs()))
        })
    }
}

/// The mean of `|input - target|`, whose derivative is 0 where they are equal
/// (`torch.nn.functional.l1_loss`); [`L1Loss`] has options.
///
/// # Errors
/// If the shapes differ: nothing broadcasts here.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::l1_loss;
/// let of = |v: [f32; 2]| Variable::new(Tensor::from(v));
/// assert_eq!(l1_loss(&of([1.0, 2.0]), &of([1.0, 4.0]))?.item()?, 1.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "mean_absolute_error")]
#[track_caller]
pub fn l1_loss<T: Float>(input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
    L1Loss::default().loss(input, target)
}
