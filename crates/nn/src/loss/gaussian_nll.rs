//! Negative log-likelihood of numbers whose mean and variance are given.

use std::f64::consts::TAU;

use wengert_core::{AsVariable, Error, Float, Pointwise, Result, Variable, pointwise};

use super::{loss_options, option_in, same_shape};
use crate::line::answered;

/// The loss in messages.
const NAME: &str = "gaussian_nll_loss";

pointwise! {
    struct GaussianNll { constant }
    fn eval(x, t, var) -> 1 { [0.5 * (var.ln() + (x - t) * (x - t) / var) + constant] }
}

loss_options! {
    /// Options of [`gaussian_nll_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::GaussianNllLoss;
    /// let of = |v: f64| Variable::new(Tensor::from([v]));
    /// let loss = GaussianNllLoss::default().full(true).loss(&of(0.0), &of(0.0), &of(1.0))?;
    /// assert_eq!(loss.item()?, 0.5 * std::f64::consts::TAU.ln());
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "GaussianNLLLoss")]
    pub struct GaussianNllLoss {
        /// Whether the constant `ln(2 pi) / 2` is added; default no.
        full: bool = false;
        /// The least variance; default 1e-6.
        eps: f64 = 1e-6;
    }
}

impl<T: Float> GaussianNllLoss<T> {
    /// The loss of these means, targets and variances.
    ///
    /// # Errors
    /// If [`gaussian_nll_loss`] refuses its inputs, for an `eps` that is not positive, or for a weight or
    /// mask that does not fit.
    #[track_caller]
    pub fn loss(
        &self,
        input: &impl AsVariable<T>,
        target: &impl AsVariable<T>,
        var: &impl AsVariable<T>,
    ) -> Result<Variable<T>> {
        answered(NAME, || {
            let (input, target, var) = (&input.as_variable(), &target.as_variable(), &var.as_variable());
            let eps = self.eps;
            option_in(NAME, "eps", eps, eps > 0.0, "positive")?;
            same_shape(NAME, "a target", input, target)?;
            let var = for_each(input.shape(), var)?;
            let counted = self.common.over(NAME, input.shape())?;
            counted.check(NAME, "every variance", "at least 0", &var, |var| var >= 0.0)?;
            let (input, target) = (counted.filled(input, 0.0), counted.filled(target, 0.0));
            let var = counted.filled(&var, 1.0);
            // A variance that is raised keeps its gradient, so that it can grow.
            let missing = var.value().map(|var| T::from_f64((eps - var.to_f64()).max(0.0)));
            let constant = if self.full { 0.5 * TAU.ln() } else { 0.0 };
            Ok(counted.reduce(GaussianNll { constant }.apply1([&input, &target, &(var + missing)])))
        })
    }
}

/// A variance for each input: of its shape, or one for each vector along the last axis.
#[track_caller]
fn for_each<T: Float>(input: &[usize], var: &Variable<T>) -> Result<Variable<T>> {
    if var.shape() == input {
        return Ok(var.clone());
    }
    let (kept, own) = (input.split_last(), var.shape());
    if kept.is_some_and(|(_, leading)| own == leading) {
        return Ok(var.unsqueeze(-1).expand(input));
    }
    if kept.is_some_and(|(_, leading)| own.split_last() == Some((&1, leading))) {
        return Ok(var.expand(input));
    }
    let expected = format!("a var of the input's shape {input:?}, or with 1 or nothing on the last axis");
    Err(Error::shape(NAME, expected, format!("{own:?}")))
}

/// The mean of `(ln v + (input - target)^2 / v) / 2` for variances `v = max(var, 1e-6)`
/// (`torch.nn.functional.gaussian_nll_loss`); [`GaussianNllLoss`] has options.
///
/// `var` has the input's shape, or one number for each vector along the last axis, which is then 1 or
/// missing. A variance that was raised to the least one has the gradient of that one, as in PyTorch.
///
/// # Errors
/// If the shapes don't fit, or a variance is negative.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::gaussian_nll_loss;
/// let of = |v: [f64; 2]| Variable::new(Tensor::from(v));
/// let loss = gaussian_nll_loss(&of([1.0, 2.0]), &of([3.0, 2.0]), &of([1.0, 1.0]))?;
/// assert_eq!(loss.item()?, 1.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn gaussian_nll_loss<T: Float>(
    input: &impl AsVariable<T>,
    target: &impl AsVariable<T>,
    var: &impl AsVariable<T>,
) -> Result<Variable<T>> {
    GaussianNllLoss::default().loss(input, target, var)
}
