//! A rate that goes up once, then down to almost nothing (Smith and Topin 2019, arXiv 1708.07120).

use wengert_core::{Error, Result};

use super::Formula;
use super::cosine::annealed;
use crate::options::range::above_zero;

schedule! {
    /// A rise from `max_lr / div_factor` to `max_lr` in the first `pct_start` of all steps, then a fall to
    /// `max_lr / (div_factor final_div_factor)`, along half cosines or straight lines
    /// (`torch.optim.lr_scheduler.OneCycleLR`). With three phases it comes down to the first rate in as many
    /// steps as it went up in, and further from there.
    ///
    /// The last step is `total_steps - 1`; a later one has its rate, and is refused by
    /// [`try_lr`](super::Schedule::try_lr). PyTorch's `epochs` and `steps_per_epoch` are their product here,
    /// as `total_steps`. A momentum that falls while the rate rises is a schedule of its own,
    /// [`OneCycleLr::momentum`].
    ///
    /// ```
    /// use wengert_optim::schedule::{OneCycleLr, Schedule};
    /// let schedule = OneCycleLr::new(1.0, 11)?.pct_start(0.5)?.div_factor(10.0)?.final_div_factor(100.0)?;
    /// let near = [0, 10, 99].map(|step| (schedule.lr(step) * 1e9).round() / 1e9);
    /// assert_eq!(near, [0.1, 0.001, 0.001]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "OneCycleLR")]
    pub struct OneCycleLr, "OneCycleLR",
    /// A cycle to the highest rate `max_lr`, in `total_steps` steps in all.
    (max_lr: f64, at_least_zero; total_steps: u64, at_least_one;)
    {
        /// The share of the steps in which it goes up, in [0, 1]; default 0.3.
        pct_start: f64 = 0.3, up_to_one;
        /// How many times smaller the first rate is than the highest; default 25.
        div_factor: f64 = 25.0, above_zero;
        /// How many times smaller the last rate is than the first; default 1e4.
        final_div_factor: f64 = 1e4, above_zero;
        /// Whether it goes along straight lines; default along half cosines.
        linear: bool = false;
        /// Whether it comes down by way of the first rate; default no.
        three_phase: bool = false;
    }
    {}
}

impl OneCycleLr {
    /// The momentum beside this rate (`cycle_momentum=True`): from `max_momentum` down to `base_momentum`
    /// where the rate is highest, and back up; PyTorch's defaults are 0.85 and 0.95. What the schedule calls
    /// its rate is the momentum, which is set where the optimizer has it.
    ///
    /// # Errors
    /// If a momentum is not above 0.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::schedule::{OneCycleLr, Schedule};
    /// use wengert_optim::{Optimizer, Sgd};
    /// let rate = OneCycleLr::new(1.0, 30)?;
    /// let momentum = rate.momentum(0.85, 0.95)?;
    /// let mut sgd = Sgd::new([Parameter::new(Tensor::from([1.0f32]))], rate.lr(0))?;
    /// for step in 0..30 {
    ///     sgd.set_lr(rate.lr(step));
    ///     sgd.groups_mut()[0].options.momentum = momentum.lr(step);
    /// }
    /// assert!((momentum.lr(8) - 0.85).abs() < 1e-12 && (momentum.lr(29) - 0.95).abs() < 1e-12);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "cycle_momentum")]
    pub fn momentum(&self, base_momentum: f64, max_momentum: f64) -> Result<Self> {
        for (name, value) in [("base_momentum", base_momentum), ("max_momentum", max_momentum)] {
            above_zero(Self::NAME, name, value)?;
        }
        OneCycleLr {
            max_lr: base_momentum,
            div_factor: base_momentum / max_momentum,
            final_div_factor: 1.0,
            ..self.clone()
        }
        .checked()
    }

    /// Where each phase ends, and with which rate.
    fn phases(&self) -> [(f64, f64); 3] {
        let first = self.max_lr / self.div_factor;
        let (up, last) = (self.pct_start * self.total_steps as f64, (self.total_steps - 1) as f64);
        let end = (last, first / self.final_div_factor);
        let middle = if self.three_phase { (2.0 * up - 2.0, first) } else { end };
        [(up - 1.0, self.max_lr), middle, end]
    }
}

impl Formula for OneCycleLr {
    fn at(&self, step: u64) -> f64 {
        let step = step.min(self.total_steps - 1) as f64;
        let (mut start, mut from) = (0.0, self.max_lr / self.div_factor);
        for (end, to) in self.phases() {
            if step <= end {
                // A phase without length is at its end.
                let done = if end > start { (step - start) / (end - start) } else { 1.0 };
                return if self.linear { from + (to - from) * done } else { annealed(from, to, done) };
            }
            (start, from) = (end, to);
        }
        from
    }

    fn ends(&self) -> Option<u64> {
        Some(self.total_steps)
    }

    fn check(&self) -> Result<()> {
        if self.three_phase && self.pct_start > 0.5 {
            let expected = "at most 0.5 with three phases";
            return Err(Error::argument(Self::NAME, "pct_start", expected, self.pct_start));
        }
        Ok(())
    }
}
