//! Negative log-likelihood of mixtures of Gaussians.

use std::f64::consts::TAU;

use wengert_core::{AsVariable, Error, Float, Pointwise, Result, Variable, pointwise};

use super::loss_options;
use crate::line::answered;

/// The loss in messages.
const NAME: &str = "mixture_nll_loss";

pointwise! {
    struct LogDensity { constant, infinity }
    fn eval(mean, log_scale, t) -> 1 {
        [{
            let far = t - mean;
            // At the mean the distance is 0 in any unit, also in one too small for a number.
            let at_mean = far.eq(0.0) & (-log_scale).exp().eq(infinity);
            let z = far * R::select(at_mean, 0.0, -log_scale).exp();
            -0.5 * z * z - log_scale - constant
        }]
    }
}

loss_options! {
    /// Options of [`mixture_nll_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::{MixtureNllLoss, Reduction};
    /// let of = |shape: [usize; 3]| Variable::new(Tensor::<f64>::zeros(shape));
    /// let target = Variable::new(Tensor::zeros([5, 2]));
    /// let loss = MixtureNllLoss::default().reduction(Reduction::None);
    /// assert_eq!(loss.loss(&of([5, 2, 3]), &of([5, 2, 3]), &of([5, 2, 3]), &target)?.shape(), &[5, 2]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct MixtureNllLoss {}
}

impl<T: Float> MixtureNllLoss<T> {
    /// The loss of these mixtures and targets.
    ///
    /// # Errors
    /// If [`mixture_nll_loss`] refuses its inputs, or for a weight or mask that does not fit.
    #[track_caller]
    pub fn loss(
        &self,
        logits: &impl AsVariable<T>,
        means: &impl AsVariable<T>,
        log_scales: &impl AsVariable<T>,
        target: &impl AsVariable<T>,
    ) -> Result<Variable<T>> {
        answered(NAME, || {
            let (logits, means, log_scales, target) = (
                &logits.as_variable(),
                &means.as_variable(),
                &log_scales.as_variable(),
                &target.as_variable(),
            );
            let vectors = of_vectors([logits.shape(), means.shape(), log_scales.shape(), target.shape()])?;
            let leading = &logits.shape()[..logits.rank() - 1];
            let counted = self.common.over(NAME, leading)?;
            let [logits, means, log_scales, target] =
                [logits, means, log_scales, target].map(|x| counted.filled(x, 0.0));
            let target = target.unsqueeze(if vectors { -2 } else { -1 });
            let density = LogDensity { constant: 0.5 * TAU.ln(), infinity: f64::INFINITY }.apply1([
                &means,
                &log_scales,
                &target,
            ]);
            let density = if vectors { density.sum_dim(&[-1]) } else { density };
            Ok(counted.reduce(-(logits.log_softmax(-1) + density).logsumexp(-1)))
        })
    }
}

/// Whether targets are vectors.
fn of_vectors([logits, means, log_scales, target]: [&[usize]; 4]) -> Result<bool> {
    if let Some((_, leading)) = logits.split_last().filter(|(components, _)| **components > 0) {
        let numbers = means == logits && target == leading;
        let (mut rows, mut each) = (leading.to_vec(), logits.to_vec());
        rows.extend(target.last());
        each.extend(target.last());
        let vectors = means == each && target == rows;
        if means == log_scales && (numbers || vectors) {
            return Ok(!numbers);
        }
    }
    let expected = "logits (.., K), means and log_scales (.., K) and targets (..), or (.., K, D) and (.., D)";
    Err(Error::shape(NAME, expected, format!("{logits:?}, {means:?}, {log_scales:?} and {target:?}")))
}

/// The mean of `-ln sum_k p[k] N(target; means[k], exp(log_scales[k]))` with `p = softmax(logits)`: the
/// negative log-likelihood of a mixture of K Gaussians, of a mixture density network (Bishop 1994);
/// [`MixtureNllLoss`] has options.
///
/// Logits, means and logarithms of standard deviations (.., K) with targets (..); or, of vectors whose
/// coordinates are independent in each component, logits (.., K), means and log-scales (.., K, D), targets
/// (.., D). Logarithms of densities are added up by `logsumexp`, so none vanishes.
///
/// # Errors
/// If the shapes don't fit, or there are no components.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::mixture_nll_loss;
/// let of = |v: [f64; 2]| Variable::new(Tensor::from([v]));
/// let target = Variable::new(Tensor::from([1e3f64]));
/// let loss = mixture_nll_loss(&of([0.0, -1e4]), &of([1e3, 0.0]), &of([0.0, 0.0]), &target)?;
/// assert!((loss.item()? - 0.5 * std::f64::consts::TAU.ln()).abs() < 1e-12);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "mdn_loss")]
#[track_caller]
pub fn mixture_nll_loss<T: Float>(
    logits: &impl AsVariable<T>,
    means: &impl AsVariable<T>,
    log_scales: &impl AsVariable<T>,
    target: &impl AsVariable<T>,
) -> Result<Variable<T>> {
    MixtureNllLoss::default().loss(logits, means, log_scales, target)
}
