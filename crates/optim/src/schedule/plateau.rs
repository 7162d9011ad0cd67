//! A rate that falls when a loss no longer does.

use super::Formula;

schedule! {
    /// A rate that falls by a factor when a metric has not got better for more than `patience` observations
    /// (`torch.optim.lr_scheduler.ReduceLROnPlateau`).
    ///
    /// Better is below `best (1 - threshold)`; to maximise, above `best (1 + threshold)`; with an absolute
    /// threshold, below `best - threshold` or above `best + threshold`. A NaN is not better. After a fall the
    /// next `cooldown` observations count for nothing. The rate does not fall below `min_lr`, nor by `eps` or
    /// less. It is the same for any step: what counts is what was observed.
    ///
    /// ```
    /// use wengert_optim::schedule::{ReduceLrOnPlateau, Schedule};
    /// let mut schedule = ReduceLrOnPlateau::new(1.0)?.factor(0.5)?.patience(1)?;
    /// for loss in [3.0, 2.0, 2.0] {
    ///     schedule.observe(loss);
    /// }
    /// assert_eq!(schedule.lr(0), 1.0);
    /// schedule.observe(2.5);
    /// assert_eq!(schedule.lr(0), 0.5);
    /// // Another process goes on from what was saved.
    /// let mut other = ReduceLrOnPlateau::new(1.0)?;
    /// other.load_state_dict(&schedule.state_dict())?;
    /// assert_eq!(other.to_string(), schedule.to_string());
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "ReduceLROnPlateau")]
    pub struct ReduceLrOnPlateau, "ReduceLROnPlateau",
    /// The rate `lr`, and a tenth of it after more than 10 observations without a smaller metric.
    (lr: f64, at_least_zero;)
    {
        /// The factor, in [0, 1); default 0.1.
        factor: f64 = 0.1, below_one;
        /// How many observations in a row may be no better; default 10.
        patience: u64 = 10;
        /// How much better is better; default 1e-4.
        threshold: f64 = 1e-4, at_least_zero;
        /// How many observations after a fall count for nothing; default 0.
        cooldown: u64 = 0;
        /// The least rate; default 0.
        min_lr: f64 = 0.0, at_least_zero;
        /// By how much it falls at least; default 1e-8.
        eps: f64 = 1e-8, at_least_zero;
        /// Whether larger is better (`mode="max"`); default no.
        maximize: bool = false;
        /// Whether the threshold is a difference (`threshold_mode="abs"`); default a ratio.
        absolute: bool = false;
    }
    {
        best: Option<f64> = None;
        num_bad: u64 = 0;
        cooling: u64 = 0;
    }
}

impl ReduceLrOnPlateau {
    fn is_better(&self, metric: f64) -> bool {
        match (self.best, self.maximize, self.absolute) {
            (None, true, _) => metric > f64::NEG_INFINITY,
            (None, false, _) => metric < f64::INFINITY,
            (Some(best), false, false) => metric < best * (1.0 - self.threshold),
            (Some(best), false, true) => metric < best - self.threshold,
            (Some(best), true, false) => metric > best * (1.0 + self.threshold),
            (Some(best), true, true) => metric > best + self.threshold,
        }
    }

    fn fall(&mut self) {
        let lower = (self.lr * self.factor).max(self.min_lr);
        if self.lr - lower > self.eps {
            self.lr = lower;
        }
        (self.cooling, self.num_bad) = (self.cooldown, 0);
    }
}

impl Formula for ReduceLrOnPlateau {
    fn at(&self, _: u64) -> f64 {
        self.lr
    }

    fn takes_note(&self) -> bool {
        true
    }

    fn falls(&self, argument: &str) -> bool {
        argument == "lr"
    }

    fn note(&mut self, metric: f64) {
        if self.is_better(metric) {
            (self.best, self.num_bad) = (Some(metric), 0);
        } else {
            self.num_bad += 1;
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.num_bad = 0;
        }
        if self.num_bad > self.patience {
            self.fall();
        }
    }
}
