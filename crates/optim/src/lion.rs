//! Lion (Chen et al. 2023, arXiv 2302.06675).

use wengert_core::Float;

use crate::options;
use crate::rule::{Rule, Update, sign};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`Lion`]; the defaults are the paper's: lr 1e-4, betas 0.9 and 0.99, no weight decay.
    LionOptions, "Lion" {
        /// Learning rate.
        lr: f64 = 1e-4, at_least_zero;
        /// Share of the momentum in a step's direction, in [0, 1).
        beta1: f64 = 0.9, below_one;
        /// Decay of the momentum, in [0, 1).
        beta2: f64 = 0.99, below_one;
        /// Pull towards zero, apart from the gradient.
        weight_decay: f64 = 0.0, at_least_zero;
        /// Whether the objective is to be maximised.
        maximize: bool = false;
    }
}

/// Lion, steps of one size in every element (Chen et al. 2023, algorithm 2).
///
/// `p *= 1 - lr wd`; `p -= lr sign(b1 m + (1 - b1) g)`; `m = b2 m + (1 - b2) g`. The sign of 0 is 0. To
/// maximise, `g` is negated first. The paper's rates are three to ten times smaller than AdamW's, and its
/// weight decay as much larger.
///
/// State: `exp_avg` (m).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Lion, Optimizer};
/// let w = Parameter::new(Tensor::from([1.0f64, -0.5]));
/// let mut lion = Lion::new([w.clone()], 0.25)?;
/// w.square().sum().backward()?;
/// lion.step()?;
/// assert_eq!(w.to_vec(), [0.75, -0.25]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub type Lion<T = f32> = RuleOptimizer<LionOptions, T>;

impl Rule for LionOptions {
    fn states(&self) -> &'static [&'static str] {
        &["exp_avg"]
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    #[inline(always)]
    fn update<T: Float>(&self, Update { value, grad, mut states, .. }: Update<'_, T>) {
        let [lr, shrink] = [self.lr, 1.0 - self.lr * self.weight_decay].map(T::from_f64);
        let [old1, new1] = [self.beta1, 1.0 - self.beta1].map(T::from_f64);
        let [old2, new2] = [self.beta2, 1.0 - self.beta2].map(T::from_f64);
        let up = if self.maximize { -T::ONE } else { T::ONE };
        for ((p, g), m) in value.iter_mut().zip(grad).zip(states[0].iter_mut()) {
            let g = up * *g;
            *p = shrink * *p - lr * sign(old1 * *m + new1 * g);
            *m = old2 * *m + new2 * g;
        }
    }
}
