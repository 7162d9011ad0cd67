//! Averaged stochastic gradient descent (Polyak and Juditsky 1992).

use wengert_core::Float;

use crate::options;
use crate::rule::{Rule, Update, in_f32, pulled};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`Asgd`]; the defaults are `torch.optim.ASGD`'s: lr 1e-2, lambd 1e-4, alpha 0.75, t0 1e6,
    /// no weight decay.
    AsgdOptions, "ASGD" {
        /// Learning rate of the first step.
        lr: f64 = 1e-2, at_least_zero;
        /// Pull towards zero, apart from the gradient, and with it how fast the rate falls.
        lambd: f64 = 1e-4, at_least_zero;
        /// Power by which the rate falls.
        alpha: f64 = 0.75, finite;
        /// The step after which averaging starts.
        t0: f64 = 1e6, at_least_zero;
        /// Pull towards zero, added to the gradient.
        weight_decay: f64 = 0.0, at_least_zero;
        /// Whether the objective is to be maximised.
        maximize: bool = false;
    }
}

/// Averaged stochastic gradient descent (`torch.optim.ASGD`).
///
/// With `t` the steps of this parameter before this one, `eta = lr / (1 + lambd lr t)^alpha` and
/// `mu = 1 / max(1, t - t0)`: `g += wd p`; `p = (1 - lambd eta) p - eta g`; `a += mu (p - a)`. To maximise,
/// `g` is negated first. The average `a` is for the user to take: it is the state `ax`. Where the learning
/// rate changes, `eta` follows it at once; PyTorch's at the next step.
///
/// State: `ax` (a).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Asgd, AsgdOptions, Optimizer};
/// let w = Parameter::new(Tensor::from([1.0f64]));
/// let mut asgd = Asgd::with([w.clone()], AsgdOptions::default().lr(0.25).lambd(0.0).t0(0.0))?;
/// for _ in 0..3 {
///     asgd.zero_grad();
///     w.sum().backward()?;
///     asgd.step()?;
/// }
/// assert_eq!(w.item()?, 0.25);
/// assert_eq!(asgd.state_dict().tensor::<f64>("state.0.ax")?.to_vec(), [0.375]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "ASGD")]
#[doc(alias = "torch.optim.ASGD")]
pub type Asgd<T = f32> = RuleOptimizer<AsgdOptions, T>;

impl Rule for AsgdOptions {
    fn states(&self) -> &'static [&'static str] {
        &["ax"]
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    #[inline(always)]
    fn update<T: Float>(&self, Update { step, value, grad, mut states, .. }: Update<'_, T>) {
        let before = (step - 1) as f64;
        let eta = in_f32(self.lr / (1.0 + self.lambd * self.lr * before).powf(self.alpha));
        let mu = T::from_f64(in_f32(1.0 / (before - self.t0).max(1.0)));
        let [rate, shrink, decay] = [eta, 1.0 - self.lambd * eta, self.weight_decay].map(T::from_f64);
        let sign = if self.maximize { -T::ONE } else { T::ONE };
        for ((p, g), a) in value.iter_mut().zip(grad).zip(states[0].iter_mut()) {
            let g = pulled(*g, *p, sign, decay);
            *p = shrink * *p - rate * g;
            // The first average is the value, also where the one before is not finite.
            *a = if mu == T::ONE { *p } else { *a + mu * (*p - *a) };
        }
    }
}
