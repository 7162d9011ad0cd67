//! A run that ends when it no longer gets better.

use std::fmt;

use wengert_core::{Error, Result, StateReader, Stateful, TensorMap};

use crate::mode::Mode;
use crate::state::numbers;

/// Says when a metric has not got better for `patience` observations in a row
/// (`keras.callbacks.EarlyStopping`).
///
/// Better is better than the best so far by more than `min_delta`. NaN is no improvement.
///
/// ```
/// use wengert_train::{EarlyStopping, Mode};
/// let mut early = EarlyStopping::new(Mode::Min, 2)?.min_delta(0.1)?;
/// let losses = [3.0, 2.0, 1.95, f64::NAN, 1.0];
/// let stopped = losses.iter().position(|&loss| early.observe(loss));
/// assert_eq!(stopped, Some(3));
/// assert_eq!((early.best(), early.best_step()), (Some(2.0), Some(1)));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    mode: Mode,
    patience: u64,
    min_delta: f64,
    observed: u64,
    /// NaN before there is one.
    best: f64,
    best_step: u64,
}

impl EarlyStopping {
    /// A rule that gives up after so many observations in a row without improvement.
    ///
    /// # Errors
    /// If `patience` is 0.
    pub fn new(mode: Mode, patience: u64) -> Result<Self> {
        if patience == 0 {
            return Err(Error::argument("EarlyStopping", "patience", "at least 1", patience));
        }
        Ok(EarlyStopping { mode, patience, min_delta: 0.0, observed: 0, best: f64::NAN, best_step: 0 })
    }

    /// Sets by more than what a metric has to be better than the best; default 0.
    ///
    /// # Errors
    /// If it is negative or no finite number.
    pub fn min_delta(mut self, min_delta: f64) -> Result<Self> {
        if !(min_delta >= 0.0 && min_delta.is_finite()) {
            return Err(Error::argument("EarlyStopping", "min_delta", "finite and at least 0", min_delta));
        }
        self.min_delta = min_delta;
        Ok(self)
    }

    /// Takes note of the next value; gives whether to stop.
    pub fn observe(&mut self, metric: f64) -> bool {
        if self.mode.is_better_by(self.min_delta, metric, self.best) {
            (self.best, self.best_step) = (metric, self.observed);
        }
        self.observed += 1;
        self.should_stop()
    }

    /// Whether the last observation said to stop.
    pub fn should_stop(&self) -> bool {
        let without = self.observed - self.best_step().map_or(0, |step| step + 1);
        without >= self.patience
    }

    /// The best value; none before there was one that is not NaN.
    pub fn best(&self) -> Option<f64> {
        Some(self.best).filter(|best| !best.is_nan())
    }

    /// The number of the observation that was best, from 0 on.
    pub fn best_step(&self) -> Option<u64> {
        self.best().map(|_| self.best_step)
    }
}

impl fmt::Display for EarlyStopping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.best(), self.best_step()) {
            (Some(best), Some(step)) => write!(f, "best {best} at {step} of {}", self.observed),
            _ => write!(f, "none of {}", self.observed),
        }
    }
}

impl Stateful for EarlyStopping {
    fn state_dict(&self) -> TensorMap {
        numbers([
            ("maximize", f64::from(u8::from(self.mode == Mode::Max))),
            ("observed", self.observed as f64),
            ("best", self.best),
            ("best_step", self.best_step as f64),
        ])
    }

    /// Takes over what was observed; patience and least improvement stay as they are set here.
    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        let mut reader = StateReader::new("EarlyStopping", map);
        let own = u64::from(self.mode == Mode::Max);
        let maximize = reader.whole("maximize");
        if maximize != own {
            reader.refuse("maximize", &format!("{own}, as it is here"), maximize);
        }
        let (observed, best_step) = (reader.whole("observed"), reader.whole("best_step"));
        let best = reader.number("best");
        if best_step >= observed && !best.is_nan() {
            reader.refuse("best_step", &format!("below the {observed} observed"), best_step);
        }
        reader.finish()?;
        *self = EarlyStopping { observed, best, best_step, ..self.clone() };
        Ok(())
    }
}
