//! RMSprop (Hinton's lecture 6e of 2012; centred, Graves 2013, arXiv 1308.0850).

use wengert_core::{Float, Result};

use crate::rule::{OptionMut, Rule, Update, at_least_zero, options};
use crate::stepper::Stepper;

options! {
    /// Options of [`RmsProp`]; the defaults are PyTorch's.
    RmsPropOptions {
        /// Learning rate.
        lr: Number f64 = 1e-2;
        /// Decay of the squared gradient's running mean.
        alpha: Number f64 = 0.99;
        /// Added to the denominator, outside the root.
        eps: Number f64 = 1e-8;
        /// Pull towards zero, added to the gradient.
        weight_decay: Number f64 = 0.0;
        /// How much of the last step goes on.
        momentum: Number f64 = 0.0;
        /// Whether the running mean's square is taken off: a variance instead of a second moment.
        centered: Flag bool = false;
        /// Whether the objective is to be maximised.
        maximize: Flag bool = false;
    }
}

/// RMSprop (`torch.optim.RMSprop`).
///
/// `g += wd p`; `s = a s + (1 - a) g^2`; centred, `m = a m + (1 - a) g` and `s - m^2` in place of s;
/// `d = g / (sqrt(s) + eps)`; with momentum `b = mu b + d`, `d = b`; `p -= lr d`.
pub type RmsProp<T = f32> = Stepper<RmsPropOptions, T>;

impl Rule for RmsPropOptions {
    const NAME: &'static str = "RMSprop";
    const STATES: &'static [&'static str] = &["square_avg", "grad_avg", "momentum_buffer"];

    fn check(&self) -> Result<()> {
        let all = [("lr", self.lr), ("alpha", self.alpha), ("eps", self.eps)];
        let all = all.into_iter().chain([("weight_decay", self.weight_decay), ("momentum", self.momentum)]);
        all.into_iter().try_for_each(|(option, value)| at_least_zero(Self::NAME, option, value))
    }

    fn options(&mut self) -> Vec<(&'static str, OptionMut<'_>)> {
        self.list()
    }

    fn lr(&mut self) -> &mut f64 {
        &mut self.lr
    }

    fn update<T: Float>(&self, Update { value, grad, mut states, .. }: Update<'_, T>) {
        let [lr, old, new] = [self.lr, self.alpha, 1.0 - self.alpha].map(T::from_f64);
        let [eps, decay, mu] = [self.eps, self.weight_decay, self.momentum].map(T::from_f64);
        let sign = if self.maximize { -T::ONE } else { T::ONE };
        let [square, mean, buffer] = states.as_mut_slice() else { unreachable!("three states are declared") };
        let states = square.iter_mut().zip(mean.iter_mut()).zip(buffer.iter_mut());
        for ((p, g), ((s, m), b)) in value.iter_mut().zip(grad).zip(states) {
            let g = sign * *g + decay * *p;
            *s = old * *s + new * g * g;
            let variance = if self.centered {
                *m = old * *m + new * g;
                *s - *m * *m
            } else {
                *s
            };
            let step = g / (variance.sqrt() + eps);
            *b = mu * *b + step;
            *p = *p - lr * if self.momentum > 0.0 { *b } else { step };
        }
    }
}
