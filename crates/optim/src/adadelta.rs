//! Adadelta (Zeiler 2012, arXiv 1212.5701).

use wengert_core::Float;

use crate::options;
use crate::rule::{Rule, Update, pulled};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`Adadelta`]; the defaults are `torch.optim.Adadelta`'s: lr 1, rho 0.9, eps 1e-6, no
    /// weight decay.
    AdadeltaOptions, "Adadelta" {
        /// Learning rate: the factor of the step that the rule finds.
        lr: f64 = 1.0, at_least_zero;
        /// Decay of both running means, in [0, 1].
        rho: f64 = 0.9, up_to_one;
        /// The summand of both running means, inside the roots.
        eps: f64 = 1e-6, at_least_zero;
        /// Pull towards zero, added to the gradient.
        weight_decay: f64 = 0.0, at_least_zero;
        /// Whether the objective is to be maximised.
        maximize: bool = false;
    }
}

/// Adadelta (`torch.optim.Adadelta`).
///
/// `g += wd p`; `s = rho s + (1 - rho) g^2`; `d = sqrt(a + eps) / sqrt(s + eps) g`;
/// `a = rho a + (1 - rho) d^2`; `p -= lr d`. To maximise, `g` is negated first.
///
/// States: `square_avg` (s), `acc_delta` (a).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Adadelta, AdadeltaOptions, Optimizer};
/// let w = Parameter::new(Tensor::from([1.0f64]));
/// let mut adadelta = Adadelta::with([w.clone()], AdadeltaOptions::default().rho(0.0).eps(1.0))?;
/// (w.sum() * 3f64.sqrt()).backward()?;
/// adadelta.step()?;
/// assert!((w.item()? - (1.0 - 3f64.sqrt() / 2.0)).abs() < 1e-12);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "torch.optim.Adadelta")]
pub type Adadelta<T = f32> = RuleOptimizer<AdadeltaOptions, T>;

impl Rule for AdadeltaOptions {
    fn states(&self) -> &'static [&'static str] {
        &["square_avg", "acc_delta"]
    }

    fn non_negative_states(&self) -> &'static [&'static str] {
        self.states()
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    #[inline(always)]
    fn update<T: Float>(&self, Update { value, grad, mut states, .. }: Update<'_, T>) {
        let [square, delta] = states.as_mut_slice() else { unreachable!("two states are declared") };
        let [lr, old, new] = [self.lr, self.rho, 1.0 - self.rho].map(T::from_f64);
        let [eps, decay] = [self.eps, self.weight_decay].map(T::from_f64);
        let sign = if self.maximize { -T::ONE } else { T::ONE };
        let states = square.iter_mut().zip(delta.iter_mut());
        for ((p, g), (s, a)) in value.iter_mut().zip(grad).zip(states) {
            let g = pulled(*g, *p, sign, decay);
            *s = old * *s + new * g * g;
            let d = (*a + eps).sqrt() / (*s + eps).sqrt() * g;
            *a = old * *a + new * d * d;
            *p = *p - lr * d;
        }
    }
}
