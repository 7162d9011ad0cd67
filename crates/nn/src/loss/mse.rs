//! Mean squared error.

use wengert_core::{AsVariable, Float, Result, Variable};

use super::{loss_options, same_shape};
use crate::line::answered;

loss_options! {
    /// Options of [`mse_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::{MseLoss, Reduction};
    /// let (x, y) = (Variable::new(Tensor::from([1.0f64, 5.0])), Variable::new(Tensor::from([0.0, 2.0])));
    /// assert_eq!(MseLoss::default().reduction(Reduction::Sum).loss(&x, &y)?.item()?, 10.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "MSELoss")]
    pub struct MseLoss {}
}

impl<T: Float> MseLoss<T> {
    /// The loss of this input and target.
    ///
    /// # Errors
    /// If [`mse_loss`] refuses its inputs, or for a weight or mask that does not fit.
    #[track_caller]
    pub fn loss(&self, input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
        answered("mse_loss", || {
            let (input, target) = (&input.as_variable(), &target.as_variable());
            same_shape("mse_loss", "a target", input, target)?;
            let counted = self.common.over("mse_loss", input.shape())?;
            let (input, target) = (counted.filled(input, 0.0), counted.filled(target, 0.0));
            Ok(counted.reduce((input - target).square()))
        })
    }
}

/// The mean of `(input - target)^2` (`torch.nn.functional.mse_loss`); [`MseLoss`] has options.
///
/// # Errors
/// If the shapes differ: nothing broadcasts here.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::mse_loss;
/// let of = |v: [f32; 2]| Variable::new(Tensor::from(v));
/// assert_eq!(mse_loss(&of([1.0, 2.0]), &of([1.0, 4.0]))?.item()?, 2.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "mean_squared_error")]
#[track_caller]
pub fn mse_loss<T: Float>(input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
    MseLoss::default().loss(input, target)
}
