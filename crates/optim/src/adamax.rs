//! Adamax (Kingma and Ba 2015, arXiv 1412.6980, section 7.1).

use wengert_core::Float;

use crate::options;
use crate::rule::{Rule, Update, bias_correction, pulled};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`Adamax`]; the defaults are `torch.optim.Adamax`'s: lr 2e-3, betas 0.9 and 0.999, eps
    /// 1e-8, no weight decay.
    AdamaxOptions, "Adamax" {
        /// Learning rate.
        lr: f64 = 2e-3, at_least_zero;
        /// Decay of the gradient's running mean, in [0, 1).
        beta1: f64 = 0.9, below_one;
        /// Decay of the largest gradient, in [0, 1).
        beta2: f64 = 0.999, below_one;
        /// The summand of the gradient's magnitude.
        eps: f64 = 1e-8, at_least_zero;
        /// Pull towards zero, added to the gradient.
        weight_decay: f64 = 0.0, at_least_zero;
        /// Whether the objective is to be maximised.
        maximize: bool = false;
    }
}

/// Adam by the largest gradient in place of the mean square (`torch.optim.Adamax`).
///
/// `g += wd p`; `m = b1 m + (1 - b1) g`; `u = max(b2 u, |g| + eps)`; `p -= lr / (1 - b1^t) m / u`, where
/// `t` counts the steps of this parameter. To maximise, `g` is negated first.
///
/// States: `exp_avg` (m), `exp_inf` (u).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Adamax, Optimizer};
/// let w = Parameter::new(Tensor::from([1.0f64]));
/// let mut adamax = Adamax::new([w.clone()], 0.1)?;
/// w.square().sum().backward()?;
/// adamax.step()?;
/// assert!((w.item()? - 0.9).abs() < 1e-8);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "torch.optim.Adamax")]
pub type Adamax<T = f32> = RuleOptimizer<AdamaxOptions, T>;

impl Rule for AdamaxOptions {
    fn states(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_inf"]
    }

    fn non_negative_states(&self) -> &'static [&'static str] {
        &["exp_inf"]
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    #[inline(always)]
    fn update<T: Float>(&self, Update { step, value, grad, mut states, .. }: Update<'_, T>) {
        let [mean, largest] = states.as_mut_slice() else { unreachable!("two states are declared") };
        let rate = T::from_f64(self.lr / bias_correction(self.beta1, step));
        let [old, new, fade] = [self.beta1, 1.0 - self.beta1, self.beta2].map(T::from_f64);
        let [eps, decay] = [self.eps, self.weight_decay].map(T::from_f64);
        let sign = if self.maximize { -T::ONE } else { T::ONE };
        let states = mean.iter_mut().zip(largest.iter_mut());
        for ((p, g), (m, u)) in value.iter_mut().zip(grad).zip(states) {
            let g = pulled(*g, *p, sign, decay);
            *m = old * *m + new * g;
            *u = (fade * *u).maximum(g.abs() + eps);
            *p = *p - rate * *m / *u;
        }
    }
}
