//! A rate that falls by a factor at given steps.

use super::Formula;

schedule! {
    /// `lr gamma^n` with `n` of the milestones behind (`torch.optim.lr_scheduler.MultiStepLR`): it falls at
    /// each, and after the last one stays. One that is given twice counts twice.
    ///
    /// ```
    /// use wengert_optim::schedule::{MultiStepLr, Schedule};
    /// let schedule = MultiStepLr::new(1.0, vec![2, 5])?.gamma(0.5)?;
    /// assert_eq!([0, 1, 2, 5, 99].map(|step| schedule.lr(step)), [1.0, 1.0, 0.5, 0.25, 0.25]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "PiecewiseConstantDecay")]
    #[doc(alias = "MultiStepLR")]
    pub struct MultiStepLr, "MultiStepLR",
    /// A fall of the rate `lr` to a tenth at each of the steps `milestones`, in any order.
    (lr: f64, at_least_zero; milestones: Vec<u64>;)
    {
        /// The factor; default 0.1.
        gamma: f64 = 0.1, at_least_zero;
    }
    {}
}

impl Formula for MultiStepLr {
    fn at(&self, step: u64) -> f64 {
        let behind = self.milestones.iter().filter(|milestone| **milestone <= step).count();
        self.lr * self.gamma.powf(behind as f64)
    }
}
