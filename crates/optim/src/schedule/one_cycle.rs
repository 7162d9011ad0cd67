//! A rate that goes up once, then down to almost nothing (Smith and Topin 2019, arXiv 1708.07120).

use wengert_core::{Error, Result};

use super::Formula;
use super::cosine::annealed;

schedule! {
    /// A rise from `max_lr / div_factor` to `max_lr` in the first `pct_start` of all steps, then a fall to
    /// `max_lr / (div_factor final_div_factor)`, along half cosines or straight lines
    /// (`torch.optim.lr_scheduler.OneCycleLR`). With three phases it comes down to the first rate in as many
    /// steps as it went up in, and further from there.
    ///
    /// The last step is `total_steps - 1`; a later one has its rate, and is refused by
    /// [`try_lr`](super::Schedule::try_lr), as PyTorch refuses it. The momentum is left alone.
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
