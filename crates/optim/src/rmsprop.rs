//! RMSprop (Hinton's lecture 6e of 2012; centred, Graves 2013, arXiv 1308.0850).

use wengert_core::Float;

use crate::options;
use crate::rule::{Rule, Update, pulled, with, without};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`RmsProp`]; the defaults are `torch.optim.RMSprop`'s: lr 1e-2, alpha 0.99, eps 1e-8,
    /// nothing else.
    RmsPropOptions, "RMSprop" {
        /// Learning rate.
        lr: f64 = 1e-2, at_least_zero;
        /// Decay of the squared gradient's running mean.
        alpha: f64 = 0.99, at_least_zero;
        /// The summand of the denominator, outside the root.
        eps: f64 = 1e-8, at_least_zero;
        /// Pull towards zero, added to the gradient.
        weight_decay: f64 = 0.0, at_least_zero;
        /// How much of the last step goes on.
        momentum: f64 = 0.0, at_least_zero;
        /// Whether the running mean's square is taken off: a variance instead of a second moment.
        centered: bool = false;
        /// Whether the objective is to be maximised.
        maximize: bool = false;
    }
}

/// RMSprop (`torch.optim.RMSprop`).
///
/// `g += wd p`; `s = a s + (1 - a) g^2`; centred, `m = a m + (1 - a) g` and `max(0, s - m^2)` in place of
/// s, which rounding takes below zero where gradients are steady (PyTorch then gives NaN);
/// `d = g / (sqrt(s) + eps)`; with momentum `b = mu b + d`, `d = b`; `p -= lr d`. To maximise, `g` is
/// negated first.
///
/// States: `square_avg` (s), centred `grad_avg` (m), with momentum `momentum_buffer` (b).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Optimizer, RmsProp};
/// let w = Parameter::new(Tensor::from([1.0f64]));
/// let mut rms_prop = RmsProp::new([w.clone()], 0.01)?;
/// w.square().sum().backward()?;
/// rms_prop.step()?;
/// // The first step is lr / sqrt(1 - alpha), whatever the gradient's size.
/// assert!((w.item()? - 0.9).abs() < 1e-8);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "RMSprop")]
pub type RmsProp<T = f32> = RuleOptimizer<RmsPropOptions, T>;

impl Rule for RmsPropOptions {
    fn states(&self) -> &'static [&'static str] {
        match (self.centered, self.momentum > 0.0) {
            (false, false) => &["square_avg"],
            (true, false) => &["square_avg", "grad_avg"],
            (false, true) => &["square_avg", "momentum_buffer"],
            (true, true) => &["square_avg", "grad_avg", "momentum_buffer"],
        }
    }

    fn non_negative_states(&self) -> &'static [&'static str] {
        // With an alpha above 1 the new square is taken off.
        if self.alpha <= 1.0 { &["square_avg"] } else { &[] }
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    #[inline(always)]
    fn update<T: Float>(&self, mut update: Update<'_, T>) {
        let len = update.value.len();
        match (std::mem::take(&mut update.states).as_mut_slice(), self.centered) {
            ([square, mean, buffer], _) => self.pass(update, square, with(mean), with(buffer)),
            ([square, mean], true) => self.pass(update, square, with(mean), &mut without(len)),
            ([square, buffer], false) => self.pass(update, square, &mut without(len), with(buffer)),
            ([square], _) => self.pass(update, square, &mut without(len), &mut without(len)),
            _ => unreachable!("one to three states are declared"),
        }
    }
}

impl RmsPropOptions {
    #[inline(always)]
    fn pass<T: Float, const M: usize, const B: usize>(
        &self,
        Update { value, grad, .. }: Update<'_, T>,
        square: &mut [T],
        mean: &mut [[T; M]],
        buffer: &mut [[T; B]],
    ) {
        let [lr, old, new] = [self.lr, self.alpha, 1.0 - self.alpha].map(T::from_f64);
        let [eps, decay, mu] = [self.eps, self.weight_decay, self.momentum].map(T::from_f64);
        let sign = if self.maximize { -T::ONE } else { T::ONE };
        for ((p, g), ((s, m), b)) in value.iter_mut().zip(grad).zip(square.iter_mut().zip(mean).zip(buffer)) {
            let g = pulled(*g, *p, sign, decay);
            *s = old * *s + new * g * g;
            let mut variance = *s;
            if let Some(m) = m.first_mut() {
                *m = old * *m + new * g;
                // Rounding alone makes it negative; a NaN stays.
                variance = variance - *m * *m;
                variance = if variance < T::ZERO { T::ZERO } else { variance };
            }
            let mut step = g / (variance.sqrt() + eps);
            if let Some(b) = b.first_mut() {
                *b = mu * *b + step;
                step = *b;
            }
            *p = *p - lr * step;
        }
    }
}
