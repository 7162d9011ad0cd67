//! Kullback-Leibler divergence.

use wengert_core::{AsVariable, Float, Pointwise, Result, Variable, pointwise};

use super::{loss_options, same_shape};
use crate::line::answered;

// What is impossible adds nothing, be it impossible for the input too; the logarithm beside it is kept
// finite.
pointwise! {
    struct KlDiv;
    fn eval(x, t) -> 1 {
        [{
            let (zero, never) = (0.0, t.eq(0.0));
            let log = R::select(never, 1.0, t).ln();
            R::select(never, zero, t * (log - x))
        }]
    }
}

pointwise! {
    struct KlDivOfLog;
    fn eval(x, t) -> 1 {
        [R::select(t.eq(R::lit(f64::NEG_INFINITY)), 0.0, t.exp() * (t - x))]
    }
}

loss_options! {
    /// Options of [`kl_div`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::{KlDivLoss, Reduction};
    /// let log_p = Variable::new(Tensor::from([[0.5f64, 0.5]]).map(f64::ln));
    /// let loss = KlDivLoss::default().log_target(true).reduction(Reduction::Sum);
    /// assert_eq!(loss.loss(&log_p, &log_p)?.item()?, 0.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "KLDivLoss")]
    pub struct KlDivLoss {
        /// Whether the target holds log-probabilities; default no.
        log_target: bool = false;
    }
}

impl<T: Float> KlDivLoss<T> {
    /// The loss of these log-probabilities and this target.
    ///
    /// # Errors
    /// If [`kl_div`] refuses its inputs, or for a weight or mask that does not fit.
    #[track_caller]
    pub fn loss(&self, input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
        answered("kl_div", || {
            let (input, target) = (&input.as_variable(), &target.as_variable());
            same_shape("kl_div", "a target", input, target)?;
            let counted = self.common.over("kl_div", input.shape())?;
            let (input, target) = (counted.filled(input, 0.0), counted.filled(target, 1.0));
            let losses = if self.log_target {
                KlDivOfLog.apply1([&input, &target])
            } else {
                KlDiv.apply1([&input, &target])
            };
            Ok(counted.reduce(losses))
        })
    }
}

/// The mean of `t (ln t - x)` for log-probabilities `x` and probabilities `t`
/// (`torch.nn.functional.kl_div`); [`KlDivLoss`] has options.
///
/// The mean is over all elements, as PyTorch's is by default. The divergence of distributions is the
/// [sum](super::Reduction::Sum), and PyTorch's `batchmean` that sum divided by the number of samples. Where
/// `t` is 0 the loss is 0 and passes nothing on, even where `x` is negative infinity; PyTorch's is NaN there.
///
/// # Errors
/// If the shapes differ: nothing broadcasts here.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::kl_div;
/// let of = |v: [f64; 2]| Variable::new(Tensor::from(v));
/// let loss = kl_div(&of([0.0, f64::NEG_INFINITY]), &of([1.0, 0.0]))?;
/// assert_eq!(loss.item()?, 0.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "kullback_leibler")]
#[track_caller]
pub fn kl_div<T: Float>(input: &impl AsVariable<T>, target: &impl AsVariable<T>) -> Result<Variable<T>> {
    KlDivLoss::default().loss(input, target)
}
