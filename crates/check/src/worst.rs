//! The derivative that a failure tells of.

use crate::verdict::{Judged, Verdict};

/// An element of a Jacobian.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct At {
    pub output: usize,
    pub leaf: usize,
    pub row: usize,
    pub column: usize,
}

/// Of the elements outside of what is allowed, the one that is furthest; in a recurrence, at the first step
/// that has one: what is wrong later may follow from it.
#[derive(Default)]
pub(crate) struct Worst {
    pub found: Option<(At, f64, Judged)>,
    step: Option<usize>,
    excess: f64,
}

impl Worst {
    pub fn consider(&mut self, at: At, step: Option<usize>, analytical: f64, judged: &Judged) {
        if judged.verdict != Verdict::Differs {
            return;
        }
        let excess = excess(analytical, judged.value, judged.allowed);
        let last = |step: Option<usize>| step.unwrap_or(usize::MAX);
        let earlier = last(step).cmp(&last(self.step));
        if self.found.is_none() || earlier.is_lt() || (earlier.is_eq() && excess > self.excess) {
            (self.step, self.excess) = (step, excess);
            self.found = Some((at, analytical, *judged));
        }
    }
}

/// How many times what is allowed two numbers are apart.
pub(crate) fn excess(analytical: f64, numerical: f64, allowed: f64) -> f64 {
    let off = (analytical - numerical).abs();
    if off.is_nan() || allowed == 0.0 { f64::INFINITY } else { off / allowed }
}
