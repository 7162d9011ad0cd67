//! A rate on a straight line.

use super::Formula;

schedule! {
    /// `lr (start_factor + (end_factor - start_factor) min(1, step / total_iters))`
    /// (`torch.optim.lr_scheduler.LinearLR`): past `total_iters` it stays.
    ///
    /// ```
    /// use wengert_optim::schedule::{LinearLr, Schedule};
    /// let schedule = LinearLr::new(1.0)?.start_factor(0.5)?.total_iters(4)?;
    /// assert_eq!([0, 1, 4, 9].map(|step| schedule.lr(step)), [0.5, 0.625, 1.0, 1.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "LinearLR")]
    pub struct LinearLr, "LinearLR",
    /// A rise from a third of the rate `lr` to the whole in 5 steps.
    (lr: f64, at_least_zero;)
    {
        /// The factor of step 0, in [0, 1]; default 1/3.
        start_factor: f64 = 1.0 / 3.0, up_to_one;
        /// The factor at the end, in [0, 1]; default 1.
        end_factor: f64 = 1.0, up_to_one;
        /// The step of the end; default 5.
        total_iters: u64 = 5, at_least_one;
    }
    {}
}

impl Formula for LinearLr {
    fn at(&self, step: u64) -> f64 {
        let done = step.min(self.total_iters) as f64 / self.total_iters as f64;
        self.lr * (self.start_factor + (self.end_factor - self.start_factor) * done)
    }
}
