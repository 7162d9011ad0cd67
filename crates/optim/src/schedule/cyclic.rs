//! A rate that goes up and down (Smith 2017, arXiv 1506.01186).

use std::fmt;

use wengert_core::{Error, Result};

use super::{CyclicMomentum, Formula};
use crate::options::OptionValue;

/// How the peaks of a [`CyclicLr`] change from cycle to cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CyclicMode {
    /// Peaks of one height.
    #[default]
    Triangular,
    /// Half as high above the base each time.
    Triangular2,
    /// Every step's height above the base times `gamma^step`.
    ExpRange,
}

const MODES: [CyclicMode; 3] = [CyclicMode::Triangular, CyclicMode::Triangular2, CyclicMode::ExpRange];

impl OptionValue for CyclicMode {
    const KIND: &'static str = "0, 1 or 2";

    fn number(self) -> f64 {
        f64::from(self as u8)
    }

    fn of_number(number: f64) -> Option<Self> {
        MODES.into_iter().find(|mode| mode.number() == number)
    }
}

impl fmt::Display for CyclicMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CyclicMode::Triangular => "triangular",
            CyclicMode::Triangular2 => "triangular2",
            CyclicMode::ExpRange => "exp_range",
        })
    }
}

schedule! {
    /// `base_lr + (max_lr - base_lr) h s` (`torch.optim.lr_scheduler.CyclicLR`), where `h` goes evenly from 0
    /// to 1 in `step_size_up` steps and back in `step_size_down`, and `s` is 1, or as [`CyclicMode`] says. It
    /// has no end. A momentum that falls while the rate rises is a schedule of its own,
    /// [`CyclicLr::momentum`].
    ///
    /// PyTorch's `scale_fn`, an `s` of one's own, is a [`LambdaLr`](super::LambdaLr) of a cycle from 0 to 1:
    /// `base_lr + (max_lr - base_lr) h(step) s(step)`.
    ///
    /// ```
    /// use wengert_optim::schedule::{CyclicLr, LambdaLr, Schedule};
    /// let h = CyclicLr::new(0.0, 1.0, 2)?;
    /// let schedule = LambdaLr::new(1.0, move |step| 0.1 + 0.3 * h.lr(step) / (1.0 + step as f64))?;
    /// assert_eq!([0, 2, 4].map(|step| (schedule.lr(step) * 1e9).round() / 1e9), [0.1, 0.2, 0.1]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    ///
    /// ```
    /// use wengert_optim::schedule::{CyclicLr, CyclicMode, Schedule};
    /// let schedule = CyclicLr::new(0.0, 1.0, 2)?.step_size_down(4)?.mode(CyclicMode::Triangular2)?;
    /// assert_eq!([0, 1, 2, 4, 6, 8].map(|step| schedule.lr(step)), [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "CyclicLR")]
    pub struct CyclicLr, "CyclicLR",
    ( base_lr: f64, at_least_zero; max_lr: f64, at_least_zero; step_size_up: u64, at_least_one; )
    {
        /// In how many steps it comes down; default as many as it goes up in.
        step_size_down: u64 = 1, at_least_one;
        /// How the peaks change; default not at all.
        mode: CyclicMode = CyclicMode::Triangular;
        /// The factor of [`CyclicMode::ExpRange`]; default 1.
        gamma: f64 = 1.0, at_least_zero;
    }
    {}
}

impl CyclicLr {
    /// A cycle between two rates: in `step_size_up` steps from the lower one to the higher, and in as many
    /// back.
    ///
    /// # Errors
    /// If one of them is out of its range.
    pub fn new(base_lr: f64, max_lr: f64, step_size_up: u64) -> Result<Self> {
        CyclicLr::made(base_lr, max_lr, step_size_up)?.step_size_down(step_size_up)
    }

    /// The momentum beside this rate (`cycle_momentum=True`): from `max_momentum` down to `base_momentum`
    /// where the rate is highest, and back up; PyTorch's defaults are 0.8 and 0.9.
    ///
    /// # Errors
    /// If a momentum is negative, or the first larger than the second.
    #[doc(alias = "cycle_momentum")]
    pub fn momentum(&self, base_momentum: f64, max_momentum: f64) -> Result<CyclicMomentum> {
        CyclicMomentum::beside(self, base_momentum, max_momentum)
    }

    /// The same cycles between 0 and 1.
    pub(super) fn heights(&self) -> CyclicLr {
        CyclicLr { base_lr: 0.0, max_lr: 1.0, ..self.clone() }
    }
}

impl Formula for CyclicLr {
    fn at(&self, step: u64) -> f64 {
        let (up, down) = (self.step_size_up, self.step_size_down);
        let whole = up.saturating_add(down);
        let (cycle, at) = (step / whole, step % whole);
        let height = if at <= up { at as f64 / up as f64 } else { (whole - at) as f64 / down as f64 };
        let scale = match self.mode {
            CyclicMode::Triangular => 1.0,
            CyclicMode::Triangular2 => 0.5f64.powf(cycle as f64),
            CyclicMode::ExpRange => self.gamma.powf(step as f64),
        };
        self.base_lr + (self.max_lr - self.base_lr) * height * scale
    }

    fn check(&self) -> Result<()> {
        if self.max_lr < self.base_lr {
            let expected = format!("at least base_lr, {}", self.base_lr);
            return Err(Error::argument(Self::NAME, "max_lr", expected, self.max_lr));
        }
        Ok(())
    }
}
