//! A rate that falls along half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983, without restarts).

use std::f64::consts::PI;

use super::Formula;

schedule! {
    /// `eta_min + (lr - eta_min) (1 + cos(pi step / t_max)) / 2`
    /// (`torch.optim.lr_scheduler.CosineAnnealingLR`). Past `t_max` it rises again, to `lr` at `2 t_max`, and
    /// so on, as in PyTorch.
    ///
    /// ```
    /// use wengert_optim::schedule::{CosineAnnealingLr, Schedule};
    /// let schedule = CosineAnnealingLr::new(1.0, 10)?.eta_min(0.2)?;
    /// let near = [0, 5, 10, 20].map(|step| (schedule.lr(step) * 1e9).round() / 1e9);
    /// assert_eq!(near, [1.0, 0.6, 0.2, 1.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "CosineDecay")]
    #[doc(alias = "CosineAnnealingLR")]
    pub struct CosineAnnealingLr, "CosineAnnealingLR",
    /// A fall from the rate `lr` to 0 in `t_max` steps.
    (lr: f64, at_least_zero; t_max: u64, at_least_one;)
    {
        /// The least rate; default 0.
        eta_min: f64 = 0.0, at_least_zero;
    }
    {}
}

impl Formula for CosineAnnealingLr {
    fn at(&self, step: u64) -> f64 {
        annealed(self.lr, self.eta_min, step as f64 / self.t_max as f64)
    }
}

/// From one value, where nothing is done, to another, where 1 is.
pub(super) fn annealed(from: f64, to: f64, done: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * done).cos()) / 2.0
}
