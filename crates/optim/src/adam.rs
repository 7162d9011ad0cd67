//! Adam (Kingma and Ba 2015, arXiv 1412.6980) and AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101).

use wengert_core::Float;

use crate::options;
use crate::rule::{Rule, Update, bias_correction, decayed, pulled, with, without};
use crate::rule_optimizer::RuleOptimizer;

macro_rules! adam {
    (
        $(#[$options_doc:meta])* $options:ident,
        $(#[$doc:meta])* $name:ident, $text:literal, $decay:literal, $decoupled:literal
    ) => {
        options! {
            $(#[$options_doc])*
            $options, $text {
                /// Learning rate.
                lr: f64 = 1e-3, at_least_zero;
                /// Decay of the gradient's running mean, in [0, 1).
                beta1: f64 = 0.9, below_one;
                /// Decay of the squared gradient's running mean, in [0, 1).
                beta2: f64 = 0.999, below_one;
                /// The summand of the denominator, after the root.
                eps: f64 = 1e-8, at_least_zero;
                /// Pull towards zero.
                weight_decay: f64 = $decay, at_least_zero;
                /// Whether the denominator takes the largest second moment so far (Reddi et al. 2018).
                amsgrad: bool = false;
                /// Whether the objective is to be maximised.
                maximize: bool = false;
            }
        }

        $(#[$doc])*
        pub type $name<T = f32> = RuleOptimizer<$options, T>;

        impl Rule for $options {
            fn states(&self) -> &'static [&'static str] {
                match self.amsgrad {
                    true => &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
                    false => &["exp_avg", "exp_avg_sq"],
                }
            }

            fn non_negative_states(&self) -> &'static [&'static str] {
                &["exp_avg_sq", "max_exp_avg_sq"]
            }

            fn is_elementwise(&self) -> bool {
                true
            }

            #[inline(always)]
            fn update<T: Float>(&self, update: Update<'_, T>) {
                let (decay, shrink) = decayed(self.lr, self.weight_decay, $decoupled);
                let moments = Moments {
                    lr: self.lr,
                    betas: (self.beta1, self.beta2),
                    eps: self.eps,
                    decay,
                    shrink,
                    sign: if self.maximize { -1.0 } else { 1.0 },
                };
                moments.update(update);
            }
        }
    };
}

adam! {
    /// Options of [`Adam`]; the defaults are `torch.optim.Adam`'s: lr 1e-3, betas 0.9 and 0.999, eps 1e-8, no
    /// weight decay.
    AdamOptions,
    /// Adam (`torch.optim.Adam`).
    ///
    /// `g += wd p`; `m = b1 m + (1 - b1) g`; `v = b2 v + (1 - b2) g^2`;
    /// `p -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)`, where `t` counts the steps of this
    /// parameter.
    /// With amsgrad the largest `v` so far is in place of `v`; to maximise, `g` is negated first.
    ///
    /// States: `exp_avg` (m), `exp_avg_sq` (v), with amsgrad `max_exp_avg_sq`.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::{Adam, Optimizer};
    /// let w = Parameter::new(Tensor::from([1.0f64]));
    /// let mut adam = Adam::new([w.clone()], 0.1)?;
    /// w.square().sum().backward()?;
    /// adam.step()?;
    /// assert!((w.item()? - 0.9).abs() < 1e-8);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    Adam, "Adam", 0.0, false
}

adam! {
    /// Options of [`AdamW`]; the defaults are `torch.optim.AdamW`'s: lr 1e-3, betas 0.9 and 0.999, eps 1e-8,
    /// weight decay 1e-2.
    AdamWOptions,
    /// Adam with weight decay apart from the gradient (`torch.optim.AdamW`): first `p *= 1 - lr wd`, then as
    /// [`Adam`] without decay.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::{AdamW, AdamWOptions, Optimizer};
    /// let w = Parameter::new(Tensor::from([1.0f64]));
    /// let mut adam = AdamW::with([w.clone()], AdamWOptions::default().lr(0.1).weight_decay(0.5))?;
    /// w.square().sum().backward()?;
    /// adam.step()?;
    /// assert!((w.item()? - (0.95 - 0.1)).abs() < 1e-8);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    AdamW, "AdamW", 1e-2, true
}

/// A step of Adam with what its variants differ in.
struct Moments {
    lr: f64,
    betas: (f64, f64),
    eps: f64,
    decay: f64,
    shrink: f64,
    sign: f64,
}

impl Moments {
    #[inline(always)]
    fn update<T: Float>(&self, mut update: Update<'_, T>) {
        let len = update.value.len();
        match std::mem::take(&mut update.states).as_mut_slice() {
            [m, v] => self.pass(update, m, v, &mut without(len)),
            [m, v, largest] => self.pass(update, m, v, with(largest)),
            _ => unreachable!("two or three states are declared"),
        }
    }

    #[inline(always)]
    fn pass<T: Float, const L: usize>(
        &self,
        Update { step, value, grad, .. }: Update<'_, T>,
        m: &mut [T],
        v: &mut [T],
        largest: &mut [[T; L]],
    ) {
        let (b1, b2) = self.betas;
        let rate = T::from_f64(self.lr / bias_correction(b1, step));
        let root = T::from_f64(bias_correction(b2, step).sqrt());
        let [old1, new1, old2, new2] = [b1, 1.0 - b1, b2, 1.0 - b2].map(T::from_f64);
        let [eps, decay, shrink, sign] = [self.eps, self.decay, self.shrink, self.sign].map(T::from_f64);
        let moments = m.iter_mut().zip(v).zip(largest);
        for ((p, g), ((m, v), largest)) in value.iter_mut().zip(grad).zip(moments) {
            let g = pulled(*g, *p, sign, decay);
            *m = old1 * *m + new1 * g;
            *v = old2 * *v + new2 * g * g;
            let mut second = *v;
            if let Some(largest) = largest.first_mut() {
                *largest = if *largest >= second { *largest } else { second };
                second = *largest;
            }
            *p = shrink * *p - rate * *m / (second.sqrt() / root + eps);
        }
    }
}
