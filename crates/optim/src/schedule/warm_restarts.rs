//! A rate that falls along half a cosine, again and again (Loshchilov and Hutter 2017, arXiv 1608.03983).

use super::Formula;
use super::cosine::annealed;

schedule! {
    /// `eta_min + (lr - eta_min) (1 + cos(pi t / T)) / 2` where `t` counts the steps since the last restart
    /// and `T` is `t_0` at first and `t_mult` times as long after each restart
    /// (`torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`). It has no end.
    ///
    /// ```
    /// use wengert_optim::schedule::{CosineAnnealingWarmRestarts, Schedule};
    /// let schedule = CosineAnnealingWarmRestarts::new(1.0, 2)?.t_mult(2)?;
    /// // Restarts at 2 and at 6.
    /// let near = [0, 1, 2, 4, 6, 10].map(|step| (schedule.lr(step) * 1e9).round() / 1e9);
    /// assert_eq!(near, [1.0, 0.5, 1.0, 0.5, 1.0, 0.5]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "CosineDecayRestarts")]
    pub struct CosineAnnealingWarmRestarts, "CosineAnnealingWarmRestarts",
    /// Falls from the rate `lr` to 0, the first one in `t_0` steps.
    (lr: f64, at_least_zero; t_0: u64, at_least_one;)
    {
        /// How many times as long it takes after each restart; default 1.
        t_mult: u64 = 1, at_least_one;
        /// The least rate; default 0.
        eta_min: f64 = 0.0, at_least_zero;
    }
    {}
}

impl Formula for CosineAnnealingWarmRestarts {
    fn at(&self, step: u64) -> f64 {
        let (mut since, mut length) = (step, self.t_0);
        if self.t_mult == 1 {
            since %= length;
        }
        while since >= length {
            since -= length;
            length = length.saturating_mul(self.t_mult);
        }
        annealed(self.lr, self.eta_min, since as f64 / length as f64)
    }
}
