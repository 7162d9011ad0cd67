//! Rprop (Riedmiller and Braun 1993), without weight backtracking.

use wengert_core::{Error, Float, Result};

use crate::options;
use crate::options::Options;
use crate::rule::{Rule, Update, sign};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`Rprop`]; the defaults are `torch.optim.Rprop`'s: lr 1e-2, etas 0.5 and 1.2, step sizes
    /// in [1e-6, 50].
    RpropOptions, "Rprop" {
        /// Learning rate: every element's first step size.
        lr: f64 = 1e-2, at_least_zero;
        /// Factor of the step size where the gradient's sign has changed, in (0, 1).
        eta_minus: f64 = 0.5, shrinking;
        /// Factor of the step size where the gradient's sign has stayed, above 1.
        eta_plus: f64 = 1.2, above_one;
        /// The least step size.
        step_size_min: f64 = 1e-6, at_least_zero;
        /// The largest step size.
        step_size_max: f64 = 50.0, at_least_zero;
        /// Whether the objective is to be maximised.
        maximize: bool = false;
    }
}

/// Resilient propagation, by the gradient's sign alone (`torch.optim.Rprop`), for gradients of all the data.
///
/// Where the gradient `g` has the sign it had before, `d = min(eta_plus d, step_size_max)`; where it has the
/// other, `d = max(eta_minus d, step_size_min)`, and `g` counts as 0, in this step and as what was before in
/// the next one; else `d` is only held within the bounds. Then `p -= d sign(g)`. At the first step `d` is the
/// learning rate. To maximise, `g` is negated first.
///
/// States: `prev` (the last gradient), `step_size` (d).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Optimizer, Rprop};
/// let w = Parameter::new(Tensor::from([1.0f64]));
/// let mut rprop = Rprop::new([w.clone()], 0.1)?;
/// for expected in [0.9, 0.9 - 0.12] {
///     rprop.zero_grad();
///     w.square().sum().backward()?;
///     rprop.step()?;
///     assert!((w.item()? - expected).abs() < 1e-12);
/// }
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "torch.optim.Rprop")]
pub type Rprop<T = f32> = RuleOptimizer<RpropOptions, T>;

impl Rule for RpropOptions {
    fn states(&self) -> &'static [&'static str] {
        &["prev", "step_size"]
    }

    fn non_negative_states(&self) -> &'static [&'static str] {
        &["step_size"]
    }

    fn check(&self) -> Result<()> {
        if self.step_size_min > self.step_size_max {
            let expected = format!("at most step_size_max, {}", self.step_size_max);
            return Err(Error::argument(Self::NAME, "step_size_min", expected, self.step_size_min));
        }
        Ok(())
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    #[inline(always)]
    fn update<T: Float>(&self, Update { value, grad, mut states, fresh, .. }: Update<'_, T>) {
        let [prev, size] = states.as_mut_slice() else { unreachable!("two states are declared") };
        if fresh {
            size.fill(T::from_f64(self.lr));
        }
        let [minus, plus] = [self.eta_minus, self.eta_plus].map(T::from_f64);
        let [least, most] = [self.step_size_min, self.step_size_max].map(T::from_f64);
        let up = if self.maximize { -T::ONE } else { T::ONE };
        let states = prev.iter_mut().zip(size.iter_mut());
        for ((p, g), (prev, size)) in value.iter_mut().zip(grad).zip(states) {
            // A product of gradients could be too small for a number.
            let g = up * *g;
            let agreed = sign(g) * sign(*prev);
            let turned = agreed < T::ZERO;
            let factor = if agreed > T::ZERO { plus } else { T::select(turned, minus, T::ONE) };
            *size = (*size * factor).maximum(least).minimum(most);
            *prev = if turned { T::ZERO } else { g };
            *p = *p - *size * sign(*prev);
        }
    }
}
