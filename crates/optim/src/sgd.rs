//! Stochastic gradient descent.

use wengert_core::{Error, Float, Result};

use crate::options;
use crate::options::Options;
use crate::rule::{Rule, Update, pulled, with, without};
use crate::rule_optimizer::RuleOptimizer;

options! {
    /// Options of [`Sgd`]; the defaults are `torch.optim.SGD`'s: lr 1e-3, nothing else.
    SgdOptions, "SGD" {
        /// Learning rate.
        lr: f64 = 1e-3, at_least_zero;
        /// How much of the last step goes on.
        momentum: f64 = 0.0, at_least_zero;
        /// How much less of the gradient enters the momentum.
        dampening: f64 = 0.0, finite;
        /// Pull towards zero, added to the gradient.
        weight_decay: f64 = 0.0, at_least_zero;
        /// Whether the gradient is looked ahead of the momentum (Nesterov).
        nesterov: bool = false;
        /// Whether the objective is to be maximised.
        maximize: bool = false;
    }
}

/// Stochastic gradient descent (`torch.optim.SGD`).
///
/// `g += wd p`; with momentum `b = mu b + (1 - d) g` (the first time `b = g`), `g = b`, or with Nesterov `g
/// + mu b`; `p -= lr g`. To maximise, `g` is negated first.
///
/// State: with momentum, `momentum_buffer` (b).
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Optimizer, Sgd, SgdOptions};
/// let w = Parameter::new(Tensor::from([1.0f64]));
/// let mut sgd = Sgd::with([w.clone()], SgdOptions::default().lr(0.25).momentum(0.5))?;
/// for expected in [0.75, 0.375] {
///     sgd.zero_grad();
///     w.sum().backward()?;
///     sgd.step()?;
///     assert_eq!(w.item()?, expected);
/// }
/// # Ok::<(), wengert_core::Error>(())
/// ```
///
/// Nesterov's variant needs a momentum, as in PyTorch:
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{Sgd, SgdOptions};
/// let w = Parameter::new(Tensor::<f32>::zeros([2]));
/// let error = Sgd::with([w], SgdOptions::default().nesterov(true)).err().unwrap();
/// assert_eq!(
///     error.to_string(),
///     "SGD: nesterov must be used with momentum above 0 and dampening 0, got momentum 0, dampening 0"
/// );
/// ```
#[doc(alias = "SGD")]
pub type Sgd<T = f32> = RuleOptimizer<SgdOptions, T>;

impl Rule for SgdOptions {
    fn states(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum_buffer"] }
    }

    fn check(&self) -> Result<()> {
        if self.nesterov && (self.momentum <= 0.0 || self.dampening != 0.0) {
            let got = format!("momentum {}, dampening {}", self.momentum, self.dampening);
            return Err(Error::argument(
                Self::NAME,
                "nesterov",
                "used with momentum above 0 and dampening 0",
                got,
            ));
        }
        Ok(())
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    #[inline(always)]
    fn update<T: Float>(&self, mut update: Update<'_, T>) {
        let len = update.value.len();
        match std::mem::take(&mut update.states).as_mut_slice() {
            [buffer] => self.pass(update, with(buffer)),
            _ => self.pass(update, &mut without(len)),
        }
    }
}

impl SgdOptions {
    #[inline(always)]
    fn pass<T: Float, const B: usize>(&self, update: Update<'_, T>, buffer: &mut [[T; B]]) {
        let Update { value, grad, fresh, .. } = update;
        let [lr, mu, decay] = [self.lr, self.momentum, self.weight_decay].map(T::from_f64);
        // The first gradient enters the momentum whole.
        let [kept, taken] =
            if fresh { [0.0, 1.0] } else { [self.momentum, 1.0 - self.dampening] }.map(T::from_f64);
        let sign = if self.maximize { -T::ONE } else { T::ONE };
        for ((p, g), b) in value.iter_mut().zip(grad).zip(buffer) {
            let mut direction = pulled(*g, *p, sign, decay);
            if let Some(b) = b.first_mut() {
                *b = kept * *b + taken * direction;
                direction = if self.nesterov { direction + mu * *b } else { *b };
            }
            *p = *p - lr * direction;
        }
    }
}
