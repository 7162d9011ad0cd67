//! Learning rates as functions of the step.

#[macro_use]
mod declare;
mod chained;
mod constant;
mod cosine;
mod cyclic;
mod cyclic_momentum;
mod exponential;
mod field;
mod lambda;
mod linear;
mod multi_step;
mod one_cycle;
mod plateau;
mod polynomial;
mod sequential;
mod step;
mod warm_restarts;
mod warm_up;

use std::fmt::{Debug, Display};

use wengert_core::{Error, Result, TensorMap};

pub use chained::ChainedLr;
pub use constant::ConstantLr;
pub use cosine::CosineAnnealingLr;
pub use cyclic::{CyclicLr, CyclicMode};
pub use cyclic_momentum::CyclicMomentum;
pub use exponential::ExponentialLr;
pub use lambda::{LambdaLr, MultiplicativeLr};
pub use linear::LinearLr;
pub use multi_step::MultiStepLr;
pub use one_cycle::OneCycleLr;
pub use plateau::ReduceLrOnPlateau;
pub use polynomial::PolynomialLr;
pub use sequential::SequentialLr;
pub use step::StepLr;
pub use warm_restarts::CosineAnnealingWarmRestarts;
pub use warm_up::WarmUp;

/// A learning rate as a function of the step (`torch.optim.lr_scheduler.LRScheduler`).
///
/// A schedule knows no optimizer and counts nothing: it gives the rate of any step, and the caller hands it
/// on. What a step is, a batch or an epoch, is the caller's as well. The first step is 0.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::schedule::{CosineAnnealingLr, Schedule, WarmUp};
/// use wengert_optim::{Optimizer, Sgd};
/// let w = Parameter::new(Tensor::from([1.0f32]));
/// let schedule = WarmUp::new(2, CosineAnnealingLr::new(0.5, 8)?)?;
/// let mut sgd = Sgd::new([w], schedule.lr(0))?;
/// let mut rates = Vec::new();
/// for step in 0..5 {
///     sgd.set_lr(schedule.lr(step));
///     rates.push((sgd.lr() * 100.0).round());
/// }
/// assert_eq!(rates, [0.0, 25.0, 50.0, 48.0, 43.0]);
/// let text = "WarmUp(steps: 2, then: CosineAnnealingLR(lr: 0.5, t_max: 8, eta_min: 0), start_factor: 0)";
/// assert_eq!(schedule.to_string(), text);
/// # Ok::<(), wengert_core::Error>(())
/// ```
///
/// Groups that were declared with different rates keep their ratios with
/// [`set_base_lr`](crate::Optimizer::set_base_lr): `optimizer.set_base_lr(schedule.lr(step))`, which sets the
/// first group's rate and the others' in proportion, also after a rate of 0. A schedule for them is made of
/// the first group's rate.
pub trait Schedule: Debug + Display + Send + Sync {
    /// The learning rate of a step; past the schedule's end, if it has one, that of its last step.
    fn lr(&self, step: u64) -> f64;

    /// How many steps the schedule is made for; none if it goes on for as long as one likes.
    fn end(&self) -> Option<u64> {
        None
    }

    /// The learning rate of a step, refused past the schedule's [end](Schedule::end): a loop that runs longer
    /// than its schedule was told is a mistake in one of the two, and trains at next to no rate.
    ///
    /// # Errors
    /// [`Error::Argument`] from that step on. PyTorch's `OneCycleLR.step` raises a `ValueError` one step
    /// later: it still gives step `total_steps` a rate, from the last line drawn on beyond its end.
    ///
    /// ```
    /// use wengert_optim::schedule::{OneCycleLr, Schedule};
    /// let schedule = OneCycleLr::new(1.0, 30)?;
    /// assert_eq!(schedule.try_lr(29)?, schedule.lr(29));
    /// assert!(schedule.try_lr(30).unwrap_err().to_string().contains("step must be below 30"));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    fn try_lr(&self, step: u64) -> Result<f64> {
        match self.end() {
            Some(end) if step >= end => {
                Err(Error::argument("schedule", "step", format!("below {end}, where {self} ends"), step))
            }
            _ => Ok(self.lr(step)),
        }
    }

    /// Takes note of a loss or score, where the rate depends on those ([`ReduceLrOnPlateau`]); others pass
    /// it on to the schedules they are made of, or ignore it.
    fn observe(&mut self, metric: f64) {
        let _ = metric;
    }

    /// Whether the rate depends on what is [observed](Schedule::observe), as a plateau's does and that of a
    /// schedule which is made of one.
    ///
    /// ```
    /// use wengert_optim::schedule::{ExponentialLr, ReduceLrOnPlateau, Schedule, WarmUp};
    /// assert!(WarmUp::new(10, ReduceLrOnPlateau::new(1.0)?)?.depends_on_metric());
    /// assert!(!ExponentialLr::new(1.0, 0.5)?.depends_on_metric());
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn depends_on_metric(&self) -> bool {
        false
    }

    /// All that the rate depends on besides the step, by name; functions are left out, as in PyTorch.
    fn state_dict(&self) -> TensorMap;

    /// Takes over what was saved of a schedule of the same kind.
    ///
    /// # Errors
    /// [`Error::Mismatch`] lists the names that are missing or unexpected, [`Error::Argument`] names a value
    /// out of its range. Then nothing has changed.
    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()>;

    /// The part of the state that does not change in a run: numbers that whoever goes on from a saved state
    /// has to have declared alike. A schedule whose rate depends on what is observed leaves out what it
    /// learns.
    ///
    /// ```
    /// use wengert_optim::schedule::{ReduceLrOnPlateau, Schedule};
    /// let mut schedule = ReduceLrOnPlateau::new(1.0)?.factor(0.5)?.patience(0)?;
    /// let before = schedule.settings();
    /// [2.0, 3.0].into_iter().for_each(|loss| schedule.observe(loss));
    /// assert_eq!((schedule.lr(0), schedule.settings()), (0.5, before));
    /// assert_eq!(schedule.settings().number("factor")?, 0.5);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn settings(&self) -> TensorMap {
        if self.depends_on_metric() { TensorMap::new() } else { self.state_dict() }
    }

    /// A copy of the schedule in a box, for schedules made of others.
    fn boxed(&self) -> Box<dyn Schedule>;
}

impl Clone for Box<dyn Schedule> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

/// What a declared schedule is: its formula, and which values do not go together.
pub(crate) trait Formula {
    fn at(&self, step: u64) -> f64;

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn ends(&self) -> Option<u64> {
        None
    }

    fn note(&mut self, metric: f64) {
        let _ = metric;
    }

    fn takes_note(&self) -> bool {
        false
    }

    /// Whether an argument of that name changes with what is observed.
    fn falls(&self, argument: &str) -> bool {
        let _ = argument;
        false
    }
}
