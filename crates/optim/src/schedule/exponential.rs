//! A rate that falls by a factor at each step.

use super::Formula;

schedule! {
    /// `lr gamma^step` (`torch.optim.lr_scheduler.ExponentialLR`), without end.
    ///
    /// ```
    /// use wengert_optim::schedule::{ExponentialLr, Schedule};
    /// let schedule = ExponentialLr::new(1.0, 0.5)?;
    /// assert_eq!([0, 1, 3].map(|step| schedule.lr(step)), [1.0, 0.5, 0.125]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "ExponentialDecay")]
    #[doc(alias = "ExponentialLR")]
    pub struct ExponentialLr, "ExponentialLR",
    /// A fall from the rate `lr` by the factor `gamma` in each step.
    (lr: f64, at_least_zero; gamma: f64, at_least_zero;)
    {}
    {}
}

impl Formula for ExponentialLr {
    fn at(&self, step: u64) -> f64 {
        self.lr * self.gamma.powf(step as f64)
    }
}
