//! Pinball loss, whose minimum is a quantile.

use wengert_core::{AsVariable, Error, Float, Pointwise, Result, Tensor, Variable, pointwise};

use super::{loss_options, place};
use crate::line::answered;

/// The loss in messages.
const NAME: &str = "quantile_loss";

// max(q d, (q - 1) d), with an absolute value so that the tie at 0 is one for every q.
pointwise! {
    struct Pinball;
    fn eval(x, t, q) -> 1 { [(q - 0.5) * (t - x) + 0.5 * (t - x).abs()] }
}

loss_options! {
    /// Options of [`quantile_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::QuantileLoss;
    /// let x = Variable::new(Tensor::from([[1.0f64, 3.0], [0.0, 0.0]]));
    /// let target = Variable::new(Tensor::from([2.0f64, f64::NAN]));
    /// let mask = Tensor::from([true, false]);
    /// let loss = QuantileLoss::default().mask(&mask).loss(&x, &target, &[0.25, 0.75])?;
    /// assert_eq!(loss.item()?, 0.25);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct QuantileLoss {}
}

impl<T: Float> QuantileLoss<T> {
    /// The loss of these predictions of quantiles.
    ///
    /// # Errors
    /// If [`quantile_loss`] refuses its inputs, or for a weight or mask that does not fit.
    #[track_caller]
    pub fn loss(
        &self,
        input: &impl AsVariable<T>,
        target: &impl AsVariable<T>,
        quantiles: &[f64],
    ) -> Result<Variable<T>> {
        answered(NAME, || {
            let (input, target) = (&input.as_variable(), &target.as_variable());
            let target = checked(input.shape(), target, quantiles)?;
            let counted = self.common.over(NAME, input.shape())?;
            let target = target.expand(input.shape());
            let (input, target) = (counted.filled(input, 0.0), counted.filled(&target, 0.0));
            let levels = Tensor::from_fn([quantiles.len()], |at| T::from_f64(quantiles[at]));
            Ok(counted.reduce(Pinball.apply1([&input, &target, &Variable::from(levels)])))
        })
    }
}

/// The target with an axis for the quantiles, if the input has one.
#[track_caller]
fn checked<T: Float>(input: &[usize], target: &Variable<T>, quantiles: &[f64]) -> Result<Variable<T>> {
    if let Some(at) = quantiles.iter().position(|q| !(0.0..=1.0).contains(q)) {
        let got = format!("{} at {}", quantiles[at], place(&[quantiles.len()], at));
        return Err(Error::argument(NAME, "every quantile", "in [0, 1]", got));
    }
    let (count, own) = (quantiles.len(), target.shape());
    if input.split_last() == Some((&count, own)) {
        return Ok(target.unsqueeze(-1));
    }
    if count == 1 && input == own {
        return Ok(target.clone());
    }
    let expected = format!("predictions (.., {count}) and targets (..)");
    Err(Error::shape(NAME, expected, format!("{input:?} and {own:?}")))
}

/// The mean of `max(q d, (q - 1) d)` with `d = target - input`, which is least where the input is the
/// `q`-quantile of the target (Koenker and Bassett 1978); [`QuantileLoss`] has options.
///
/// `input` (.., Q) has a prediction for each of the quantiles, `target` (..) one number for all of them; with
/// a single quantile both may have the same shape. At `d = 0` the derivative in `d` is `q - 1/2`.
///
/// # Errors
/// If the shapes don't fit, or a quantile lies outside [0, 1].
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::quantile_loss;
/// let (low, high) = (Tensor::from([1.0f64]), Tensor::from([3.0f64]));
/// let of = |x: &Tensor<f64>, y: &Tensor<f64>| {
///     quantile_loss(&Variable::from(x.clone()), &Variable::from(y.clone()), &[0.75])?.item()
/// };
/// assert_eq!((of(&low, &high)?, of(&high, &low)?), (1.5, 0.5));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "pinball_loss")]
#[track_caller]
pub fn quantile_loss<T: Float>(
    input: &impl AsVariable<T>,
    target: &impl AsVariable<T>,
    quantiles: &[f64],
) -> Result<Variable<T>> {
    QuantileLoss::default().loss(input, target, quantiles)
}
