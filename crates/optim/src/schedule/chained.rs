//! Schedules at the same time.

use wengert_core::{Error, Result};

use super::{Formula, Schedule};

schedule! {
    /// Schedules at the same time (`torch.optim.lr_scheduler.ChainedScheduler`): the first one's rate, times
    /// what each other one has made of its own first rate, `s1(t) s2(t) / s2(0) ...`. So the others' own
    /// rates do not matter, unless they are 0, and of those with a least rate it is the fall that counts.
    ///
    /// PyTorch multiplies the first steps as well: one that begins with a factor, such as
    /// [`ConstantLr`](super::ConstantLr), [`LinearLr`](super::LinearLr) or [`WarmUp`](super::WarmUp), is to
    /// be the first here. So is one that depends on a metric, such as
    /// [`ReduceLrOnPlateau`](super::ReduceLrOnPlateau), which PyTorch refuses anywhere: the rate that it
    /// began with is not known later on.
    ///
    /// ```
    /// use wengert_optim::schedule::{ChainedLr, ExponentialLr, Schedule, StepLr};
    /// let schedules = [ExponentialLr::new(1.0, 0.5)?.boxed(), StepLr::new(1.0, 2)?.gamma(0.25)?.boxed()];
    /// let schedule = ChainedLr::new(schedules)?;
    /// assert_eq!([0, 1, 2].map(|step| schedule.lr(step)), [1.0, 0.5, 0.0625]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "ChainedScheduler")]
    pub struct ChainedLr, "ChainedScheduler",
    (schedules: Vec<Box<dyn Schedule>>;)
    {}
    {}
}

impl ChainedLr {
    /// The product of schedules.
    ///
    /// # Errors
    /// If there are none, or one but the first begins with a rate of 0 or depends on a metric.
    pub fn new(schedules: impl IntoIterator<Item = Box<dyn Schedule>>) -> Result<Self> {
        ChainedLr::made(schedules.into_iter().collect())
    }
}

impl Formula for ChainedLr {
    fn at(&self, step: u64) -> f64 {
        let rates = self.schedules[1..].iter().map(|schedule| schedule.lr(step) / schedule.lr(0));
        self.schedules[0].lr(step) * rates.product::<f64>()
    }

    fn ends(&self) -> Option<u64> {
        self.schedules.iter().filter_map(|schedule| schedule.end()).min()
    }

    fn takes_note(&self) -> bool {
        self.schedules.iter().any(|schedule| schedule.depends_on_metric())
    }

    fn note(&mut self, metric: f64) {
        self.schedules.iter_mut().for_each(|schedule| schedule.observe(metric));
    }

    fn check(&self) -> Result<()> {
        if self.schedules.is_empty() {
            return Err(Error::argument(Self::NAME, "schedules", "at least one", "none"));
        }
        for schedule in &self.schedules[1..] {
            let expected = if schedule.depends_on_metric() {
                "the one that depends on a metric in the first place"
            } else if schedule.lr(0) == 0.0 {
                "ones that begin above 0 behind the first"
            } else {
                continue;
            };
            return Err(Error::argument(Self::NAME, "schedules", expected, schedule));
        }
        Ok(())
    }
}
