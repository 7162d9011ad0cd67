//! A rate that falls to zero by a power.

use super::Formula;

schedule! {
    /// `lr (1 - min(1, step / total_iters))^power` (`torch.optim.lr_scheduler.PolynomialLR`): from
    /// `total_iters` on it is 0.
    ///
    /// ```
    /// use wengert_optim::schedule::{PolynomialLr, Schedule};
    /// let schedule = PolynomialLr::new(1.0)?.total_iters(4)?.power(2.0)?;
    /// assert_eq!([0, 1, 2, 4, 9].map(|step| schedule.lr(step)), [1.0, 0.5625, 0.25, 0.0, 0.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "PolynomialDecay")]
    #[doc(alias = "PolynomialLR")]
    pub struct PolynomialLr, "PolynomialLR",
    /// A fall from the rate `lr` to 0 in 5 steps, evenly.
    (lr: f64, at_least_zero;)
    {
        /// The first step of rate 0; default 5.
        total_iters: u64 = 5, at_least_one;
        /// The power; default 1.
        power: f64 = 1.0, above_zero;
    }
    {}
}

impl Formula for PolynomialLr {
    fn at(&self, step: u64) -> f64 {
        let done = step.min(self.total_iters) as f64 / self.total_iters as f64;
        self.lr * (1.0 - done).powf(self.power)
    }
}
