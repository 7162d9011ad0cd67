//! A rising rate before any schedule.

use wengert_core::Result;

use super::{Formula, Schedule};

schedule! {
    /// A straight line from `start_factor` times the first rate of another schedule to that rate in `steps`
    /// steps, then that schedule, which counts the steps from there. What is observed goes to it from the
    /// first step on; whoever warms up before a plateau observes from the last step of the warm-up.
    ///
    /// ```
    /// use wengert_optim::schedule::{ExponentialLr, Schedule, WarmUp};
    /// let schedule = WarmUp::new(4, ExponentialLr::new(1.0, 0.5)?)?.start_factor(0.5)?;
    /// assert_eq!([0, 1, 3, 4, 5].map(|step| schedule.lr(step)), [0.5, 0.625, 0.875, 1.0, 0.5]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "warmup")]
    pub struct WarmUp, "WarmUp",
    (steps: u64, at_least_one; then: Box<dyn Schedule>;)
    {
        /// The factor of step 0, in [0, 1]; default 0.
        start_factor: f64 = 0.0, up_to_one;
    }
    {}
}

impl WarmUp {
    /// A rise from 0 in so many steps before another schedule.
    ///
    /// # Errors
    /// If there are no steps.
    pub fn new(steps: u64, then: impl Schedule + 'static) -> Result<Self> {
        WarmUp::made(steps, Box::new(then))
    }
}

impl Formula for WarmUp {
    fn at(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.then.lr(step - self.steps);
        }
        let done = step as f64 / self.steps as f64;
        self.then.lr(0) * (self.start_factor + (1.0 - self.start_factor) * done)
    }

    fn ends(&self) -> Option<u64> {
        self.then.end().map(|end| end.saturating_add(self.steps))
    }

    fn takes_note(&self) -> bool {
        self.then.depends_on_metric()
    }

    fn note(&mut self, metric: f64) {
        self.then.observe(metric);
    }
}
