//! A rate that falls by a factor every so many steps.

use super::Formula;

schedule! {
    /// `lr gamma^floor(step / step_size)` (`torch.optim.lr_scheduler.StepLR`). It goes on falling forever.
    ///
    /// ```
    /// use wengert_optim::schedule::{Schedule, StepLr};
    /// let schedule = StepLr::new(1.0, 3)?.gamma(0.5)?;
    /// assert_eq!([0, 2, 3, 6].map(|step| schedule.lr(step)), [1.0, 1.0, 0.5, 0.25]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "StepLR")]
    pub struct StepLr, "StepLR",
    /// A fall of the rate `lr` to a tenth after every `step_size` steps.
    (lr: f64, at_least_zero; step_size: u64, at_least_one;)
    {
        /// The factor; default 0.1.
        gamma: f64 = 0.1, at_least_zero;
    }
    {}
}

impl Formula for StepLr {
    fn at(&self, step: u64) -> f64 {
        self.lr * self.gamma.powf((step / self.step_size) as f64)
    }
}
