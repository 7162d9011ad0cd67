//! Which of two values is better.

/// The values of a metric that are better: smaller or larger ones (Keras's `mode`).
///
/// ```
/// use wengert_train::Mode;
/// assert!(Mode::Min.is_better(1.0, 2.0) && Mode::Max.is_better(2.0, 1.0));
/// assert!(!Mode::Min.is_better(f64::NAN, 2.0) && Mode::Min.is_better(2.0, f64::NAN));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Smaller is better, as of a loss.
    Min,
    /// Larger is better, as of an accuracy.
    Max,
}

impl Mode {
    /// Whether `value` is better than `than`. NaN is better than nothing, and anything else better than NaN.
    pub fn is_better(self, value: f64, than: f64) -> bool {
        self.is_better_by(0.0, value, than)
    }

    /// Whether it is better by more than `delta`.
    pub(crate) fn is_better_by(self, delta: f64, value: f64, than: f64) -> bool {
        match self {
            _ if value.is_nan() || than.is_nan() => !value.is_nan(),
            Mode::Min => value < than - delta,
            Mode::Max => value > than + delta,
        }
    }
}
