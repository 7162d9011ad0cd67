//! One schedule after another.

use wengert_core::{Error, Result};

use super::{Formula, Schedule};

schedule! {
    /// Schedules one after another (`torch.optim.lr_scheduler.SequentialLR`): each but the first takes over
    /// at its milestone and counts the steps from there. The last one goes on as it does. What is observed
    /// goes to all of them.
    ///
    /// ```
    /// use wengert_optim::schedule::{ConstantLr, ExponentialLr, Schedule, SequentialLr};
    /// let first = ConstantLr::new(1.0)?.factor(0.25)?.total_iters(9)?;
    /// let schedule = SequentialLr::new([first.boxed(), ExponentialLr::new(1.0, 0.5)?.boxed()], [2])?;
    /// assert_eq!([0, 1, 2, 3, 4].map(|step| schedule.lr(step)), [0.25, 0.25, 1.0, 0.5, 0.25]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "SequentialLR")]
    pub struct SequentialLr, "SequentialLR",
    (schedules: Vec<Box<dyn Schedule>>; milestones: Vec<u64>;)
    {}
    {}
}

impl SequentialLr {
    /// One schedule after another, with the steps at which the others begin.
    ///
    /// # Errors
    /// If there is not one milestone less than schedules, or they do not rise.
    pub fn new(
        schedules: impl IntoIterator<Item = Box<dyn Schedule>>,
        milestones: impl IntoIterator<Item = u64>,
    ) -> Result<Self> {
        SequentialLr::made(schedules.into_iter().collect(), milestones.into_iter().collect())
    }
}

impl Formula for SequentialLr {
    fn at(&self, step: u64) -> f64 {
        let turn = self.milestones.partition_point(|milestone| *milestone <= step);
        let start = if turn == 0 { 0 } else { self.milestones[turn - 1] };
        self.schedules[turn].lr(step - start)
    }

    /// The first step at which the schedule whose turn it is has ended.
    fn ends(&self) -> Option<u64> {
        let starts = std::iter::once(0).chain(self.milestones.iter().copied());
        let turns = self.milestones.iter().map(|next| Some(*next)).chain([None]);
        let mut ends =
            self.schedules.iter().zip(starts).zip(turns).filter_map(|((schedule, start), next)| {
                let end = start.saturating_add(schedule.end()?);
                next.is_none_or(|next| end < next).then_some(end)
            });
        ends.next()
    }

    fn takes_note(&self) -> bool {
        self.schedules.iter().any(|schedule| schedule.depends_on_metric())
    }

    fn note(&mut self, metric: f64) {
        self.schedules.iter_mut().for_each(|schedule| schedule.observe(metric));
    }

    fn check(&self) -> Result<()> {
        let (schedules, milestones) = (self.schedules.len(), self.milestones.len());
        if schedules != milestones + 1 {
            let expected = format!("one less than the schedules, of which there are {schedules}");
            return Err(Error::argument(Self::NAME, "milestones", expected, milestones));
        }
        if !self.milestones.is_sorted_by(|a, b| a < b) {
            let got = format!("{:?}", self.milestones);
            return Err(Error::argument(Self::NAME, "milestones", "rising", got));
        }
        Ok(())
    }
}
