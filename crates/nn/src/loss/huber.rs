//! Squared error, absolute far out.

use wengert_core::{AsVariable, Float, Pointwise, Result, Variable, pointwise};

use super::{loss_options, option_in, same_shape};
use crate::line::answered;

pointwise! {
    struct Huber { delta }
    fn eval(x, t) -> 1 {
        [{
            let far = (x - t).abs();
            R::select(far.le(delta), 0.5 * far * far, delta * (far - 0.5 * delta))
        }]
    }
}

loss_options! {
    /// Options of [`huber_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::HuberLoss;
    /// let (x, y) = (Variable::new(Tensor::from([1.0f64, 5.0])), Variable::new(Tensor::from([0.0, 0.0])));
    /// assert_eq!(HuberLoss::default().delta(2.0).loss(&x, &y)?.item()?, 4.25);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct HuberLoss {
        /// Up to this difference the loss is a square; default 1.
        delta: f64 = 1.0;
    }
}

impl<T: Float> HuberLoss<T> {
    /// The loss of this input and target.
    ///
    /// # Errors
    /// If [`huber_loss`] refuses its inputs, for a `delta` that is not positive, or for a weight or mask that
    /// does not fit.
    #[track_caller]
    pub fn loss(&self, input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
        answered("huber_loss", || {
            let (input, target) = (&input.as_variable(), &target.as_variable());
            let delta = self.delta;
            option_in("huber_loss", "delta", delta, delta > 0.0, "positive")?;
            same_shape("huber_loss", "a target", input, target)?;
            let counted = self.common.over("huber_loss", input.shape())?;
            let (input, target) = (counted.filled(input, 0.0), counted.filled(target, 0.0));
            Ok(counted.reduce(Huber { delta }.apply1([&input, &target])))
        })
    }
}

/// The mean of `d^2 / 2` where `d = |input - target|` is at most `delta`, and of `delta (d - delta / 2)`
/// elsewhere, with `delta` 1 (`torch.nn.functional.huber_loss`); [`HuberLoss`] has options.
///
/// # Errors
/// If the shapes differ: nothing broadcasts here.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::huber_loss;
/// let of = |v: [f32; 2]| Variable::new(Tensor::from(v));
/// assert_eq!(huber_loss(&of([1.0, 2.0]), &of([1.5, 4.0]))?.item()?, (0.125 + 1.5) / 2.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn huber_loss<T: Float>(input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
    HuberLoss::default().loss(input, target)
}
