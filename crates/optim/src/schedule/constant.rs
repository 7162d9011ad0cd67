//! A smaller rate for the first steps.

use super::Formula;

schedule! {
    /// `lr factor` for the first `total_iters` steps, then `lr` (`torch.optim.lr_scheduler.ConstantLR`). With
    /// no first steps it is `lr factor` for ever, as in PyTorch.
    ///
    /// ```
    /// use wengert_optim::schedule::{ConstantLr, Schedule};
    /// let schedule = ConstantLr::new(1.0)?.factor(0.5)?.total_iters(3)?;
    /// assert_eq!([0, 2, 3, 9].map(|step| schedule.lr(step)), [0.5, 0.5, 1.0, 1.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "ConstantLR")]
    pub struct ConstantLr, "ConstantLR",
    /// A rate, a third of it in the first 5 steps.
    (lr: f64, at_least_zero;)
    {
        /// The factor of the first steps, in [0, 1]; default 1/3.
        factor: f64 = 1.0 / 3.0, up_to_one;
        /// How many steps are the first, 0 for all; default 5.
        total_iters: u64 = 5;
    }
    {}
}

impl Formula for ConstantLr {
    fn at(&self, step: u64) -> f64 {
        if step < self.total_iters || self.total_iters == 0 { self.lr * self.factor } else { self.lr }
    }
}
