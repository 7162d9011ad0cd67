//! Negative log-likelihood of counts.

use std::f64::consts::TAU;

use wengert_core::{AsVariable, Float, Pointwise, Result, Variable, pointwise};

use super::{loss_options, option_in, same_shape};
use crate::line::answered;

/// The loss in messages.
const NAME: &str = "poisson_nll_loss";

pointwise! { struct PoissonNllOfLog; fn eval(x, t) -> 1 { [x.exp() - t * x] } }
pointwise! { struct PoissonNll { eps } fn eval(x, t) -> 1 { [x - t * (x + eps).ln()] } }

// Stirling's approximation of ln t!; its logarithms are kept finite where it is not used.
pointwise! {
    struct Stirling { tau }
    fn eval(t) -> 1 {
        [{
            let (one, many) = (1.0, t.gt(1.0));
            let n = R::select(many, t, one);
            R::select(many, n * n.ln() - n + 0.5 * (tau * n).ln(), 0.0)
        }]
    }
}

loss_options! {
    /// Options of [`poisson_nll_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::PoissonNllLoss;
    /// let of = |v: f64| Variable::new(Tensor::from([v]));
    /// let loss = PoissonNllLoss::default().log_input(false).loss(&of(2.0), &of(0.0))?;
    /// assert_eq!(loss.item()?, 2.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "PoissonNLLLoss")]
    pub struct PoissonNllLoss {
        /// Whether the input is the logarithm of the rate; default yes. Without, the loss is
        /// `x - t ln(x + eps)`.
        log_input: bool = true;
        /// Whether Stirling's `t ln t - t + ln(2 pi t) / 2` is added where `t` is above 1; default no.
        full: bool = false;
        /// What keeps the logarithm of a rate of 0 finite; default 1e-8.
        eps: f64 = 1e-8;
    }
}

impl<T: Float> PoissonNllLoss<T> {
    /// The loss of these rates and counts.
    ///
    /// # Errors
    /// If [`poisson_nll_loss`] refuses its inputs, for a negative `eps`, or for a weight or mask that does
    /// not fit.
    #[track_caller]
    pub fn loss(&self, input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
        answered(NAME, || {
            let (input, target) = (&input.as_variable(), &target.as_variable());
            let eps = self.eps;
            option_in(NAME, "eps", eps, eps >= 0.0, "at least 0")?;
            same_shape(NAME, "a target", input, target)?;
            let counted = self.common.over(NAME, input.shape())?;
            let (input, target) = (counted.filled(input, 1.0), counted.filled(target, 1.0));
            let mut losses = if self.log_input {
                PoissonNllOfLog.apply1([&input, &target])
            } else {
                PoissonNll { eps }.apply1([&input, &target])
            };
            if self.full {
                losses += &Stirling { tau: TAU }.apply1([&target]);
            }
            Ok(counted.reduce(losses))
        })
    }
}

/// The mean of `e^x - t x` for logarithms of rates `x` and counts `t`
/// (`torch.nn.functional.poisson_nll_loss`); [`PoissonNllLoss`] has options.
///
/// # Errors
/// If the shapes differ: nothing broadcasts here.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::poisson_nll_loss;
/// let of = |v: [f64; 2]| Variable::new(Tensor::from(v));
/// assert_eq!(poisson_nll_loss(&of([0.0, 0.0]), &of([3.0, 5.0]))?.item()?, 1.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[track_caller]
pub fn poisson_nll_loss<T: Float>(
    input: &impl AsVariable<T>,
    target: &impl AsVariable<T>,
) -> Result<Variable<T>> {
    PoissonNllLoss::default().loss(input, target)
}
