//! A momentum that goes down and up.

use wengert_core::{Error, Result};

use super::{CyclicLr, Formula, Schedule};

schedule! {
    /// `max_momentum - (max_momentum - base_momentum) h s`, with the `h` and `s` of a [`CyclicLr`]
    /// (`torch.optim.lr_scheduler.CyclicLR` with `cycle_momentum=True`); [`CyclicLr::momentum`] makes one.
    /// What the schedule calls its rate is the momentum, which is set where the optimizer has it.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::schedule::{CyclicLr, Schedule};
    /// use wengert_optim::{Optimizer, Sgd};
    /// let rate = CyclicLr::new(0.1, 0.5, 2)?;
    /// let momentum = rate.momentum(0.75, 1.0)?;
    /// let mut sgd = Sgd::new([Parameter::new(Tensor::from([1.0f32]))], rate.lr(0))?;
    /// for step in 0..3 {
    ///     sgd.set_lr(rate.lr(step));
    ///     sgd.groups_mut()[0].options.momentum = momentum.lr(step);
    /// }
    /// assert_eq!((sgd.lr(), sgd.groups()[0].options.momentum), (0.5, 0.75));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub struct CyclicMomentum, "CyclicMomentum",
    (base_momentum: f64, at_least_zero; max_momentum: f64, at_least_zero; height: Box<dyn Schedule>;)
    {}
    {}
}

impl CyclicMomentum {
    pub(super) fn beside(rate: &CyclicLr, base_momentum: f64, max_momentum: f64) -> Result<Self> {
        CyclicMomentum::made(base_momentum, max_momentum, rate.heights().boxed())
    }
}

impl Formula for CyclicMomentum {
    fn at(&self, step: u64) -> f64 {
        self.max_momentum - (self.max_momentum - self.base_momentum) * self.height.lr(step)
    }

    fn check(&self) -> Result<()> {
        if self.max_momentum < self.base_momentum {
            let expected = format!("at least base_momentum, {}", self.base_momentum);
            return Err(Error::argument(Self::NAME, "max_momentum", expected, self.max_momentum));
        }
        Ok(())
    }
}
