//! NAdam (Dozat 2016, Incorporating Nesterov Momentum into Adam).

use wengert_core::Float;

use crate::options;
use crate::rule::{Rule, Update, bias_correction, decayed, in_f32, pulled};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`NAdam`]; the defaults are `torch.optim.NAdam`'s: lr 2e-3, betas 0.9 and 0.999, eps 1e-8,
    /// momentum decay 4e-3, no weight decay.
    NAdamOptions, "NAdam" {
        /// Learning rate.
        lr: f64 = 2e-3, at_least_zero;
        /// Decay of the gradient's running mean, in [0, 1).
        beta1: f64 = 0.9, below_one;
        /// Decay of the squared gradient's running mean, in [0, 1).
        beta2: f64 = 0.999, below_one;
        /// The summand of the denominator, after the root.
        eps: f64 = 1e-8, at_least_zero;
        /// Pull towards zero.
        weight_decay: f64 = 0.0, at_least_zero;
        /// How fast the momentum comes up from half of beta1.
        momentum_decay: f64 = 4e-3, at_least_zero;
        /// Whether the decay is apart from the gradient, as AdamW's.
        decoupled_weight_decay: bool = false;
        /// Whether the objective is to be maximised.
        maximize: bool = false;
    }
}

/// Adam with Nesterov momentum (`torch.optim.NAdam`).
///
/// `g += wd p`, or decoupled first `p *= 1 - lr wd`; `m = b1 m + (1 - b1) g`; `v = b2 v + (1 - b2) g^2`;
/// `mu_t = b1 (1 - 0.96^(t psi) / 2)` with psi the momentum decay, `M` the product of all `mu` to `mu_t`;
/// `p -= lr ((1 - mu_t) / (1 - M) g + mu_{t+1} / (1 - M mu_{t+1}) m) / (sqrt(v / (1 - b2^t)) + eps)`,
/// where `t` counts the steps of this parameter. `M` is in single precision, as in PyTorch. To maximise, `g`
/// is negated first.
///
/// States: `exp_avg` (m), `exp_avg_sq` (v), and the number `mu_product` (M).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{NAdam, NAdamOptions, Optimizer};
/// let w = Parameter::new(Tensor::from([1.0f64]));
/// let mut nadam = NAdam::with([w.clone()], NAdamOptions::default().lr(0.1).beta1(0.0))?;
/// w.square().sum().backward()?;
/// nadam.step()?;
/// assert!((w.item()? - 0.9).abs() < 1e-8);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "torch.optim.NAdam")]
pub type NAdam<T = f32> = RuleOptimizer<NAdamOptions, T>;

impl NAdamOptions {
    fn momentum(&self, step: u64) -> f64 {
        self.beta1 * (1.0 - 0.5 * 0.96f64.powf(step as f64 * self.momentum_decay))
    }
}

impl Rule for NAdamOptions {
    fn states(&self) -> &'static [&'static str] {
        &["exp_avg", "exp_avg_sq"]
    }

    fn non_negative_states(&self) -> &'static [&'static str] {
        &["exp_avg_sq"]
    }

    fn numbers(&self) -> &'static [(&'static str, f64)] {
        &[("mu_product", 1.0)]
    }

    fn advance(&self, step: u64, numbers: &mut [f64]) {
        numbers[0] = in_f32(in_f32(numbers[0]) * in_f32(self.momentum(step)));
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    #[inline(always)]
    fn update<T: Float>(&self, Update { step, numbers, value, grad, mut states, .. }: Update<'_, T>) {
        let [mean, square] = states.as_mut_slice() else { unreachable!("two states are declared") };
        let (mu, next, product) = (self.momentum(step), self.momentum(step + 1), numbers[0]);
        let of_grad = T::from_f64(self.lr * (1.0 - mu) / (1.0 - product));
        let of_mean = T::from_f64(self.lr * next / (1.0 - product * next));
        let (decay, shrink) = decayed(self.lr, self.weight_decay, self.decoupled_weight_decay);
        let [old1, new1] = [self.beta1, 1.0 - self.beta1].map(T::from_f64);
        let [old2, new2] = [self.beta2, 1.0 - self.beta2].map(T::from_f64);
        let correction = T::from_f64(bias_correction(self.beta2, step));
        let [eps, decay, shrink] = [self.eps, decay, shrink].map(T::from_f64);
        let sign = if self.maximize { -T::ONE } else { T::ONE };
        let states = mean.iter_mut().zip(square.iter_mut());
        for ((p, g), (m, v)) in value.iter_mut().zip(grad).zip(states) {
            let g = pulled(*g, *p, sign, decay);
            *m = old1 * *m + new1 * g;
            *v = old2 * *v + new2 * g * g;
            let root = (*v / correction).sqrt() + eps;
            *p = shrink * *p - (of_grad * g + of_mean * *m) / root;
        }
    }
}
