//! Absolute error, squared near 0.

use wengert_core::{AsVariable, Float, Pointwise, Result, Variable, pointwise};

use super::{loss_options, option_in, same_shape};
use crate::line::answered;

pointwise! {
    struct SmoothL1 { beta }
    fn eval(x, t) -> 1 {
        [{
            let far = (x - t).abs();
            R::select(far.lt(beta), 0.5 * far * far / beta, far - 0.5 * beta)
        }]
    }
}

loss_options! {
    /// Options of [`smooth_l1_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::SmoothL1Loss;
    /// let (x, y) = (Variable::new(Tensor::from([1.0f64, 5.0])), Variable::new(Tensor::from([0.0, 0.0])));
    /// assert_eq!(SmoothL1Loss::default().beta(2.0).loss(&x, &y)?.item()?, 2.125);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct SmoothL1Loss {
        /// Below this difference the loss is a square; default 1. With 0 it is
        /// [`l1_loss`](super::l1_loss).
        beta: f64 = 1.0;
    }
}

impl<T: Float> SmoothL1Loss<T> {
    /// The loss of this input and target.
    ///
    /// # Errors
    /// If [`smooth_l1_loss`] refuses its inputs, for a negative `beta`, or for a weight or mask that does not
    /// fit.
    #[track_caller]
    pub fn loss(&self, input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
        answered("smooth_l1_loss", || {
            let (input, target) = (&input.as_variable(), &target.as_variable());
            let beta = self.beta;
            option_in("smooth_l1_loss", "beta", beta, beta >= 0.0, "at least 0")?;
            same_shape("smooth_l1_loss", "a target", input, target)?;
            let counted = self.common.over("smooth_l1_loss", input.shape())?;
            let (input, target) = (counted.filled(input, 0.0), counted.filled(target, 0.0));
            let losses = if beta == 0.0 {
                (input - target).abs()
            } else {
                SmoothL1 { beta }.apply1([&input, &target])
            };
            Ok(counted.reduce(losses))
        })
    }
}

/// The mean of `d^2 / (2 beta)` where `d = |input - target|` is below `beta`, and of `d - beta / 2`
/// elsewhere, with `beta` 1 (`torch.nn.functional.smooth_l1_loss`); [`SmoothL1Loss`] has options.
///
/// # Errors
/// If the shapes differ: nothing broadcasts here.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::smooth_l1_loss;
/// let of = |v: [f32; 2]| Variable::new(Tensor::from(v));
/// assert_eq!(smooth_l1_loss(&of([1.0, 2.0]), &of([1.5, 4.0]))?.item()?, (0.125 + 1.5) / 2.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn smooth_l1_loss<T: Float>(
    input: &impl AsVariable<T>,
    target: &impl AsVariable<T>,
) -> Result<Variable<T>> {
    SmoothL1Loss::default().loss(input, target)
}
