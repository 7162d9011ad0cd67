//! Adagrad (Duchi, Hazan and Singer 2011, JMLR 12).

use wengert_core::Float;

use crate::options;
use crate::rule::{Rule, Update, pulled};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`Adagrad`]; the defaults are `torch.optim.Adagrad`'s: lr 1e-2, eps 1e-10, nothing else.
    AdagradOptions, "Adagrad" {
        /// Learning rate.
        lr: f64 = 1e-2, at_least_zero;
        /// How fast the rate falls with the steps.
        lr_decay: f64 = 0.0, at_least_zero;
        /// Pull towards zero, added to the gradient.
        weight_decay: f64 = 0.0, at_least_zero;
        /// The value that the sum of squares begins with.
        initial_accumulator_value: f64 = 0.0, at_least_zero;
        /// The summand of the denominator, outside the root.
        eps: f64 = 1e-10, at_least_zero;
        /// Whether the objective is to be maximised.
        maximize: bool = false;
    }
}

/// Adagrad (`torch.optim.Adagrad`).
///
/// `g += wd p`; `s += g^2`; `p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)`, where `t` counts the
/// steps of this parameter. To maximise, `g` is negated first.
///
/// State: `sum` (s).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Adagrad, Optimizer};
/// let w = Parameter::new(Tensor::from([1.0f64]));
/// let mut adagrad = Adagrad::new([w.clone()], 0.1)?;
/// w.square().sum().backward()?;
/// adagrad.step()?;
/// // The first step is lr, whatever the gradient's size.
/// assert!((w.item()? - 0.9).abs() < 1e-8);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "torch.optim.Adagrad")]
pub type Adagrad<T = f32> = RuleOptimizer<AdagradOptions, T>;

impl Rule for AdagradOptions {
    fn states(&self) -> &'static [&'static str] {
        &["sum"]
    }

    fn non_negative_states(&self) -> &'static [&'static str] {
        &["sum"]
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    #[inline(always)]
    fn update<T: Float>(&self, Update { step, value, grad, mut states, fresh, .. }: Update<'_, T>) {
        let sum = &mut *states[0];
        if fresh {
            sum.fill(T::from_f64(self.initial_accumulator_value));
        }
        let rate = T::from_f64(self.lr / (1.0 + (step - 1) as f64 * self.lr_decay));
        let [eps, decay] = [self.eps, self.weight_decay].map(T::from_f64);
        let sign = if self.maximize { -T::ONE } else { T::ONE };
        for ((p, g), s) in value.iter_mut().zip(grad).zip(sum) {
            let g = pulled(*g, *p, sign, decay);
            *s = *s + g * g;
            *p = *p - rate * g / (s.sqrt() + eps);
        }
    }
}
