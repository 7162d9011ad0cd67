//! Continuous ranked probability score of normal distributions.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

use wengert_core::{AsVariable, Float, Pointwise, Result, Variable, pointwise};

use super::{loss_options, same_shape};
use crate::line::answered;

/// The loss in messages.
const NAME: &str = "crps_normal_loss";
/// From how many deviations on `f` is below the rounding of the score and of its derivatives.
const TAIL: f64 = 14.0;

pointwise! {
    struct CrpsNormal { root_half, density, constant, tail, infinity }
    fn eval(mean, std, t) -> 1 {
        [{
            let far = t - mean;
            // From there on the target is in the tail: nothing of it is left beside the distance. A deviation
            // without a reciprocal counts as one so small.
            let tail = tail.lt(far.abs() / std) | (1.0 / std).eq(infinity);
            let near = R::select(tail, 0.0, far);
            let scale = R::select(tail, 1.0, std);
            let z = near / scale;
            let bent = near * (z * root_half).erf() + scale * density * (-0.5 * z * z).exp();
            R::select(tail, far.abs(), bent) - constant * std
        }]
    }
}

loss_options! {
    /// Options of [`crps_normal_loss`].
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::loss::{CrpsNormalLoss, Reduction};
    /// let of = |v: [f64; 2]| Variable::new(Tensor::from(v));
    /// let loss = CrpsNormalLoss::default().reduction(Reduction::None);
    /// assert_eq!(loss.loss(&of([0.0, 0.0]), &of([1.0, 1.0]), &of([-2.0, 2.0]))?.shape(), &[2]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct CrpsNormalLoss {}
}

impl<T: Float> CrpsNormalLoss<T> {
    /// The loss of these means, standard deviations and targets.
    ///
    /// # Errors
    /// If [`crps_normal_loss`] refuses its inputs, or for a weight or mask that does not fit.
    #[track_caller]
    pub fn loss(
        &self,
        mean: &impl AsVariable<T>,
        std: &impl AsVariable<T>,
        target: &impl AsVariable<T>,
    ) -> Result<Variable<T>> {
        answered(NAME, || {
            let (mean, std, target) = (&mean.as_variable(), &std.as_variable(), &target.as_variable());
            same_shape(NAME, "a std", mean, std)?;
            same_shape(NAME, "a target", mean, target)?;
            let counted = self.common.over(NAME, mean.shape())?;
            counted.check(NAME, "every std", "positive", std, |std| std > 0.0)?;
            let (mean, target) = (counted.filled(mean, 0.0), counted.filled(target, 0.0));
            let crps = CrpsNormal {
                root_half: FRAC_1_SQRT_2,
                density: 2.0 * TAU.sqrt().recip(),
                constant: PI.sqrt().recip(),
                tail: TAIL,
                infinity: f64::INFINITY,
            };
            Ok(counted.reduce(crps.apply1([&mean, &counted.filled(std, 1.0), &target])))
        })
    }
}

/// The mean of `s (z (2 F(z) - 1) + 2 f(z) - 1 / sqrt(pi))` with `z = (target - mean) / s`, where `s` is the
/// standard deviation and `F` and `f` are distribution and density of the standard normal: the continuous
/// ranked probability score of the normal distribution (Gneiting et al. 2005);
/// [`CrpsNormalLoss`] has options.
///
/// The score has the unit of the target, and is its distance from the mean where the deviation is small
/// beside it.
///
/// # Errors
/// If the shapes differ, or a standard deviation is not positive.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::crps_normal_loss;
/// let of = |v: f64| Variable::new(Tensor::from([v]));
/// assert!((crps_normal_loss(&of(0.0), &of(1e-3), &of(2.0))?.item()? - 2.0).abs() < 1e-3);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "continuous_ranked_probability_score")]
#[track_caller]
pub fn crps_normal_loss<T: Float>(
    mean: &impl AsVariable<T>,
    std: &impl AsVariable<T>,
    target: &impl AsVariable<T>,
) -> Result<Variable<T>> {
    CrpsNormalLoss::default().loss(mean, std, target)
}
