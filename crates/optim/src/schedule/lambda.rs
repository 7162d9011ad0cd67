//! Rates by a function of one's own.

use std::fmt;
use std::sync::Arc;

use wengert_core::{Result, TensorMap};

use super::Formula;
use super::field::Field;

/// A function of the step, which is neither saved nor compared.
#[derive(Clone)]
struct Function(Arc<dyn Fn(u64) -> f64 + Send + Sync>);

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("function")
    }
}

impl Field for Function {
    fn save(&self, _: &str, _: &mut TensorMap) {}

    fn load(&mut self, _: &'static str, _: &'static str, _: &TensorMap) -> Result<()> {
        Ok(())
    }

    fn show(&self) -> String {
        format!("{self:?}")
    }
}

macro_rules! by_function {
    ($(#[$meta:meta])* pub struct $name:ident, $text:literal, $(#[$new:meta])*) => {
        schedule! {
            $(#[$meta])*
            pub struct $name, $text,
            (lr: f64, at_least_zero; lr_lambda: Function;)
            {}
            {}
        }

        impl $name {
            $(#[$new])*
            ///
            /// # Errors
            /// If the rate is negative or not finite.
            pub fn new(lr: f64, lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Result<Self> {
                Self::made(lr, Function(Arc::new(lr_lambda)))
            }
        }
    };
}

by_function! {
    /// `lr f(step)` (`torch.optim.lr_scheduler.LambdaLR`).
    ///
    /// ```
    /// use wengert_optim::schedule::{LambdaLr, Schedule};
    /// let schedule = LambdaLr::new(1.0, |step| 1.0 / (1 + step) as f64)?;
    /// assert_eq!([0, 1, 3].map(|step| schedule.lr(step)), [1.0, 0.5, 0.25]);
    /// assert_eq!(schedule.to_string(), "LambdaLR(lr: 1, lr_lambda: function)");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "LearningRateScheduler")]
    #[doc(alias = "LambdaLR")]
    pub struct LambdaLr, "LambdaLR",
    /// A rate times a function of the step.
}

by_function! {
    /// `lr f(1) f(2) ... f(step)` (`torch.optim.lr_scheduler.MultiplicativeLR`). Each call multiplies them
    /// all, so it takes a time that grows with the step.
    ///
    /// ```
    /// use wengert_optim::schedule::{MultiplicativeLr, Schedule};
    /// let schedule = MultiplicativeLr::new(1.0, |step| if step % 2 == 0 { 0.5 } else { 1.0 })?;
    /// assert_eq!([0, 1, 2, 5].map(|step| schedule.lr(step)), [1.0, 1.0, 0.5, 0.25]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "MultiplicativeLR")]
    pub struct MultiplicativeLr, "MultiplicativeLR",
    /// A rate that each step multiplies by a function of it.
}

impl Formula for LambdaLr {
    fn at(&self, step: u64) -> f64 {
        self.lr * (self.lr_lambda.0)(step)
    }
}

impl Formula for MultiplicativeLr {
    fn at(&self, step: u64) -> f64 {
        (1..=step).fold(self.lr, |lr, step| lr * (self.lr_lambda.0)(step))
    }
}
