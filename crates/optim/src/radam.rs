//! RAdam (Liu et al. 2020, arXiv 1908.03265).

use wengert_core::Float;

use crate::options;
use crate::rule::{Rule, Update, bias_correction, decayed, pulled};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`RAdam`]; the defaults are `torch.optim.RAdam`'s: lr 1e-3, betas 0.9 and 0.999, eps 1e-8,
    /// no weight decay.
    RAdamOptions, "RAdam" {
        /// Learning rate.
        lr: f64 = 1e-3, at_least_zero;
        /// Decay of the gradient's running mean, in [0, 1).
        beta1: f64 = 0.9, below_one;
        /// Decay of the squared gradient's running mean, in [0, 1).
        beta2: f64 = 0.999, below_one;
        /// The summand of the denominator, after the root.
        eps: f64 = 1e-8, at_least_zero;
        /// Pull towards zero.
        weight_decay: f64 = 0.0, at_least_zero;
        /// Whether the decay is apart from the gradient, as AdamW's.
        decoupled_weight_decay: bool = false;
        /// Whether the objective is to be maximised.
        maximize: bool = false;
    }
}

/// Adam whose first steps, too few to tell a variance, go without it (`torch.optim.RAdam`).
///
/// `g += wd p`, or decoupled first `p *= 1 - lr wd`; `m = b1 m + (1 - b1) g`; `v = b2 v + (1 - b2) g^2`;
/// `R = 2 / (1 - b2) - 1`; `r = R - 2 t b2^t / (1 - b2^t)`, where `t` counts the steps of this parameter.
/// With `r > 5`, `p -= lr m / (1 - b1^t) c sqrt(1 - b2^t) / (sqrt(v) + eps)`, where
/// `c^2 = (r - 4) (r - 2) R / ((R - 4) (R - 2) r)`; else `p -= lr m / (1 - b1^t)`. To maximise, `g` is
/// negated first.
///
/// States: `exp_avg` (m), `exp_avg_sq` (v).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Optimizer, RAdam};
/// let w = Parameter::new(Tensor::from([1.0f64]));
/// let mut radam = RAdam::new([w.clone()], 0.25)?;
/// w.square().sum().backward()?;
/// radam.step()?;
/// assert!((w.item()? - (1.0 - 0.25 * 2.0)).abs() < 1e-12, "lr times the gradient");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "torch.optim.RAdam")]
pub type RAdam<T = f32> = RuleOptimizer<RAdamOptions, T>;

impl RAdamOptions {
    /// What the mean is multiplied with before the division by the root, if that is due.
    fn rectified(&self, step: u64) -> Option<f64> {
        let correction = bias_correction(self.beta2, step);
        let most = 2.0 / (1.0 - self.beta2) - 1.0;
        let length = most - 2.0 * step as f64 * (1.0 - correction) / correction;
        let of = |length: f64| (length - 4.0) * (length - 2.0) / length;
        (length > 5.0).then(|| (of(length) / of(most) * correction).sqrt())
    }
}

impl Rule for RAdamOptions {
    fn states(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }

    fn non_negative_states(&self) -> &'static [&'static str] {
        &["exp_avg_sq"]
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    #[inline(always)]
    fn update<T: Float>(&self, Update { step, value, grad, mut states, .. }: Update<'_, T>) {
        let [mean, square] = states.as_mut_slice() else { unreachable!("two states are declared") };
        let (decay, shrink) = decayed(self.lr, self.weight_decay, self.decoupled_weight_decay);
        let rectified = self.rectified(step);
        let rate = T::from_f64(self.lr / bias_correction(self.beta1, step) * rectified.unwrap_or(1.0));
        let [old1, new1] = [self.beta1, 1.0 - self.beta1].map(T::from_f64);
        let [old2, new2] = [self.beta2, 1.0 - self.beta2].map(T::from_f64);
        let [eps, decay, shrink] = [self.eps, decay, shrink].map(T::from_f64);
        let sign = if self.maximize { -T::ONE } else { T::ONE };
        let states = mean.iter_mut().zip(square.iter_mut());
        for ((p, g), (m, v)) in value.iter_mut().zip(grad).zip(states) {
            let g = pulled(*g, *p, sign, decay);
            *m = old1 * *m + new1 * g;
            *v = old2 * *v + new2 * g * g;
            let root = if rectified.is_some() { v.sqrt() + eps } else { T::ONE };
            *p = shrink * *p - rate * *m / root;
        }
    }
}
