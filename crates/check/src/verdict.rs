//! Whether a derivative is that of differences.

use crate::difference::{self, Estimate, Ladder, Samples};

/// What can be said of a derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Agrees,
    /// It lies between the derivatives from both sides, which differ.
    Kink,
    /// It agrees, but so would one that is off by a thousandth; or differences find no derivative.
    Undecidable,
    Differs,
}

/// A verdict with its reasons.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    pub verdict: Verdict,
    pub value: f64,
    pub uncertainty: f64,
    /// How far apart the two may be.
    pub allowed: f64,
    /// The derivatives from below and above, where they differ.
    pub sides: Option<[f64; 2]>,
}

/// The part of a derivative that must be visible for a verdict: errors of a thousandth are.
const VISIBLE: f64 = 2.5e-4;

/// What an expected derivative may be off by whatever its size, as a part of that of its terms, which may
/// cancel, as behind a mean of equal numbers or a function that is flat far out.
const CANCELLED: f64 = 16.0 * f64::EPSILON;

/// How many times the uncertainty a derivative must be off beyond it to differ for certain: the uncertainty
/// is itself an estimate, and from few samples. Where it hides an error of a thousandth there is least to
/// take it from.
const DOUBT: f64 = 2.0;
const MUCH_DOUBT: f64 = 15.0;

/// The tolerances.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge {
    pub atol: f64,
    pub rtol: f64,
    /// One central difference of this step and no other.
    pub step: Option<f64>,
}

/// The size of a derivative's terms: the function's own beside that of what is moved, or, if that is larger,
/// that of the cotangent, which is 1.
fn terms(function: f64, moved: f64) -> f64 {
    (function / moved).max(1.0)
}

impl Judge {
    /// Judges the derivative in `t` at 0 of each number that `at` gives. `argument` is the size of what is
    /// moved, `rounding[k]` what the expected derivative may itself be off by.
    pub fn judge<E>(
        &self,
        at: &mut impl FnMut(f64) -> Result<Vec<f64>, E>,
        argument: f64,
        expected: &[f64],
        rounding: &[f64],
    ) -> Result<Vec<Judged>, E> {
        let scale = difference::scale(argument.abs());
        let h = self.step.unwrap_or_else(|| difference::first_step(scale));
        let (above, below) = (at(h)?, at(-h)?);
        let mut found: Vec<Judged> =
            expected.iter().enumerate().map(|(k, &a)| self.first(a, [below[k], above[k]], h)).collect();
        let open = |judged: &Judged| judged.verdict == Verdict::Undecidable;
        if self.step.is_none() && found.iter().any(open) {
            let (further, back) = (at(2.0 * h)?, at(-2.0 * h)?);
            for (k, judged) in found.iter_mut().enumerate().filter(|(_, judged)| open(judged)) {
                let estimate = difference::fourth_order([below[k], back[k]], [above[k], further[k]], h);
                *judged = self.second(expected[k], estimate, *judged);
            }
        }
        let scales = [Some(scale), difference::own_scale(argument.abs())];
        for (finer, scale) in scales.into_iter().flatten().enumerate() {
            let open = |judged: &Judged| match judged.verdict {
                Verdict::Agrees => false,
                Verdict::Undecidable => true,
                // Close to 0 the function may have another face than a little further away.
                Verdict::Kink | Verdict::Differs => finer == 1 && self.step.is_none(),
            };
            if !found.iter().any(open) {
                break;
            }
            let ladder = Ladder::climb(at, scale, argument)?;
            for (k, judged) in found.iter_mut().enumerate().filter(|(_, judged)| open(judged)) {
                let samples = ladder.output(k);
                let cancelled = CANCELLED * terms(samples.largest_value(), scale);
                let closer = self.careful(expected[k], rounding[k].max(cancelled), &samples);
                // Steps of this size may be too small to change anything.
                if finer == 0 || (closer.verdict != Verdict::Undecidable && !samples.has_stairs()) {
                    *judged = closer;
                }
            }
        }
        Ok(found)
    }

    /// By one difference; undecidable here means that it takes a closer look.
    fn first(&self, expected: f64, [below, above]: [f64; 2], h: f64) -> Judged {
        let value = (above - below) / (2.0 * h);
        let noise = difference::noise(above.abs().max(below.abs()), h);
        let asked = self.atol + self.rtol * value.abs();
        let off = (expected - value).abs();
        let fixed = self.step.is_some() && value.is_finite();
        let visible = noise <= 1e-5 * value.abs() || noise <= self.atol;
        let allowed = if visible && !fixed { asked + noise } else { asked };
        let verdict = match () {
            _ if !value.is_finite() => Verdict::Undecidable,
            _ if expected == value || (off <= allowed && (visible || fixed)) => Verdict::Agrees,
            _ if fixed => Verdict::Differs,
            _ => Verdict::Undecidable,
        };
        Judged { verdict, value, uncertainty: 0.0, allowed, sides: None }
    }

    /// By a difference of higher order. It may see what lies further away, so it agrees or says nothing.
    fn second(&self, expected: f64, estimate: Estimate, first: Judged) -> Judged {
        let Estimate { value, uncertainty } = estimate;
        let allowed = self.atol + self.rtol * value.abs() + uncertainty;
        let visible = uncertainty <= (1e-5 * value.abs()).max(self.atol);
        let agrees = visible && (expected - value).abs() <= allowed;
        if agrees {
            Judged { verdict: Verdict::Agrees, value, uncertainty, allowed, sides: None }
        } else {
            first
        }
    }

    fn careful(&self, expected: f64, rounding: f64, samples: &Samples) -> Judged {
        if !samples.centre.is_finite() {
            return self.nothing(samples.centre);
        }
        if samples.is_flat() {
            return self.flat(expected, rounding, samples);
        }
        let central = samples.central().map(|estimate| self.against(estimate, expected, rounding));
        match central {
            Some(judged) if judged.verdict != Verdict::Differs => judged,
            _ => self.one_sided(expected, rounding, samples, central),
        }
    }

    /// Nothing changes: so it must be, unless the change is below the last digit of the largest number
    /// around, or of one that the value is a difference of, or what is expected is rounding itself.
    fn flat(&self, expected: f64, rounding: f64, samples: &Samples) -> Judged {
        let resolution = samples.resolution() / samples.reach();
        let verdict = match expected.abs() {
            size if size <= self.atol => Verdict::Agrees,
            size if size <= resolution + rounding => Verdict::Undecidable,
            _ => Verdict::Differs,
        };
        Judged { verdict, value: 0.0, uncertainty: resolution, allowed: self.atol, sides: None }
    }

    /// At a kink what lies between both sides will do, at the edge of a domain what its inner side says.
    fn one_sided(&self, expected: f64, rounding: f64, samples: &Samples, central: Option<Judged>) -> Judged {
        let unsettled = central.unwrap_or_else(|| self.nothing(f64::NAN));
        match (samples.sides(), samples.ends()) {
            ([Some(left), Some(right)], _) => {
                let apart = (left.value - right.value).abs();
                let same = self.rtol * left.value.abs().max(right.value.abs());
                match apart > left.uncertainty + right.uncertainty + same {
                    true => self.between(left, right, expected, rounding),
                    false => unsettled,
                }
            }
            ([None, Some(inner)], [true, _]) | ([Some(inner), None], [_, true]) => {
                self.against(inner, expected, rounding)
            }
            _ => unsettled,
        }
    }

    fn between(&self, left: Estimate, right: Estimate, expected: f64, rounding: f64) -> Judged {
        let (low, high) = if left.value < right.value { (left, right) } else { (right, left) };
        let nearest = if (expected - low.value).abs() < (expected - high.value).abs() { low } else { high };
        let allowed = self.atol + self.rtol * nearest.value.abs() + nearest.uncertainty + rounding;
        let inside = expected >= low.value - allowed && expected <= high.value + allowed;
        let verdict = if inside { Verdict::Kink } else { Verdict::Differs };
        let Estimate { value, uncertainty } = nearest;
        Judged { verdict, value, uncertainty, allowed, sides: Some([left.value, right.value]) }
    }

    /// What agrees only by the grace of the tape's own rounding is left open.
    fn against(&self, estimate: Estimate, expected: f64, rounding: f64) -> Judged {
        let Estimate { value, uncertainty } = estimate;
        let close = self.atol + self.rtol * value.abs() + uncertainty;
        let off = (expected - value).abs();
        let visible = uncertainty <= self.atol.max(VISIBLE * value.abs().max(expected.abs()));
        let doubt = if visible { DOUBT } else { MUCH_DOUBT };
        let allowed = close + rounding + doubt * uncertainty;
        let verdict = match () {
            _ if !expected.is_finite() && uncertainty > VISIBLE * value.abs() => Verdict::Undecidable,
            _ if expected.is_nan() || off > allowed => Verdict::Differs,
            _ if visible && off <= close => Verdict::Agrees,
            _ => Verdict::Undecidable,
        };
        Judged { verdict, value, uncertainty, allowed, sides: None }
    }

    fn nothing(&self, value: f64) -> Judged {
        let verdict = Verdict::Undecidable;
        Judged { verdict, value, uncertainty: f64::INFINITY, allowed: f64::INFINITY, sides: None }
    }
}
