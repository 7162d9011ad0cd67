//! Derivatives by finite differences, each with what it is uncertain by.
//!
//! The first estimate is one central difference, whose step is as large as a function without sharp turns
//! allows, so that there is little noise in it: it settles most elements at two calls, and with two more
//! one of fourth order settles nearly all others. What they leave open is looked at over a ladder of steps,
//! each a quarter of the last, from a quarter of the element's size down to 1e-9 of it.
//!
//! Small steps see the derivative and rounding noise, large ones the derivative and what lies further away:
//! curvature, kinks. So the ladder is climbed from below (Lepski's rule, Math. Meth. Statist. 1991): each
//! step gives an interval, as wide as its noise, and the largest step is taken whose interval still meets
//! those of all smaller ones. The noise is `eps |f| / h` with the function's own size, or what the smallest
//! steps scatter by if that is more: a sum whose terms cancel is as noisy as its terms. None of this looks
//! at the tape's derivative.

/// A derivative by differences, right to within `uncertainty`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub value: f64,
    pub uncertainty: f64,
}

/// How many steps a ladder has.
const RUNGS: usize = 15;
/// How many of the smallest steps say how noisy the function is.
const NOISY: usize = 7;
/// An interval's half width in standard deviations of the noise.
const SAFE: f64 = 8.0;

/// The power of two that steps are a part of: that of the elements' own size, but not next to nothing where
/// they are zero. With powers of two, what is added to an element is what is divided by.
pub(crate) fn scale(largest: f64) -> f64 {
    if largest.is_finite() { power_of_two(largest.max(0.0625)) } else { 1.0 }
}

/// The same without a floor, for elements near the edge of a domain; none if there is no smaller one.
pub(crate) fn own_scale(largest: f64) -> Option<f64> {
    (largest < 0.0625 && largest > 1e-280).then(|| power_of_two(largest))
}

fn power_of_two(x: f64) -> f64 {
    x.log2().floor().exp2()
}

/// The step of the first estimate.
pub(crate) fn first_step(scale: f64) -> f64 {
    scale * 2f64.powi(-11)
}

/// What rounding makes of a difference of numbers of this size over a step.
pub(crate) fn noise(size: f64, h: f64) -> f64 {
    4.0 * f64::EPSILON * size / h
}

/// The derivative in `t` at 0 of a number that is `below[0]` and `above[0]` at -h and h, `below[1]` and
/// `above[1]` at twice that: by a difference of fourth order. It is uncertain by noise, and by what is not
/// known of the fifth derivative.
pub(crate) fn fourth_order(below: [f64; 2], above: [f64; 2], h: f64) -> Estimate {
    let size = below.iter().chain(&above).fold(0.0, |size: f64, x| size.max(x.abs()));
    let value = (8.0 * (above[0] - below[0]) - (above[1] - below[1])) / (12.0 * h);
    Estimate { value, uncertainty: 1.5 * noise(size, h) }
}

/// A function of one number, sampled around 0.
pub(crate) struct Ladder {
    /// From the smallest up.
    steps: Vec<f64>,
    centre: Vec<f64>,
    above: Vec<Vec<f64>>,
    below: Vec<Vec<f64>>,
    /// The size of the element that is moved.
    argument: f64,
    /// The largest number that came up anywhere.
    largest: f64,
}

impl Ladder {
    pub fn climb<E>(
        at: &mut impl FnMut(f64) -> Result<Vec<f64>, E>,
        scale: f64,
        argument: f64,
    ) -> Result<Self, E> {
        let steps: Vec<f64> = (0..RUNGS).rev().map(|k| scale * 0.25f64.powi(k as i32 + 1)).collect();
        let above = steps.iter().map(|&h| at(h)).collect::<Result<Vec<_>, E>>()?;
        let below = steps.iter().map(|&h| at(-h)).collect::<Result<Vec<_>, E>>()?;
        let centre = at(0.0)?;
        let all = above.iter().chain(&below).chain([&centre]).flatten();
        let largest = all.filter(|x| x.is_finite()).fold(argument.abs(), |m: f64, x| m.max(x.abs()));
        Ok(Ladder { steps, centre, above, below, argument, largest })
    }

    /// The samples of one output.
    pub fn output(&self, k: usize) -> Samples {
        let column = |values: &[Vec<f64>]| values.iter().map(|row| row[k]).collect::<Vec<f64>>();
        let mut samples = Samples {
            steps: self.steps.clone(),
            centre: self.centre[k],
            above: column(&self.above),
            below: column(&self.below),
            argument: self.argument,
            largest: self.largest,
            coarse: false,
        };
        samples.drop_steps_below_resolution();
        samples
    }
}

/// One output around 0.
#[derive(Debug)]
pub(crate) struct Samples {
    steps: Vec<f64>,
    pub centre: f64,
    above: Vec<f64>,
    below: Vec<f64>,
    argument: f64,
    pub largest: f64,
    /// Whether there were steps that changed nothing.
    coarse: bool,
}

/// Which side of 0 is looked at.
#[derive(Clone, Copy)]
enum Side {
    Both,
    Above,
    Below,
}

impl Samples {
    /// Whether no step changes anything.
    pub fn is_flat(&self) -> bool {
        (0..self.steps.len()).all(|j| self.is_flat_at(j))
    }

    /// Whether some steps change nothing.
    pub fn has_stairs(&self) -> bool {
        self.coarse || (0..self.steps.len()).any(|j| self.is_flat_at(j))
    }

    /// The smallest change that a value which never changes could show. A round number says nothing of what
    /// it comes from.
    pub fn resolution(&self) -> f64 {
        let grain = self.grain();
        let round = grain > self.centre.abs() * 2f64.powi(-12);
        (8.0 * f64::EPSILON * self.largest).max(if round { 0.0 } else { grain })
    }

    /// The largest step.
    pub fn reach(&self) -> f64 {
        self.steps.last().copied().unwrap_or(0.0)
    }

    /// The derivative from both sides at once; nothing if the steps agree on nothing.
    pub fn central(&self) -> Option<Estimate> {
        self.settle(Side::Both)
    }

    /// The derivatives from below and from above.
    pub fn sides(&self) -> [Option<Estimate>; 2] {
        [self.settle(Side::Below), self.settle(Side::Above)]
    }

    /// Whether the function has no values on one side however near: the edge of its domain.
    pub fn ends(&self) -> [bool; 2] {
        [&self.below, &self.above].map(|side| side.iter().all(|y| !y.is_finite()))
    }

    /// The largest magnitude of all values, as far as they are finite.
    pub fn largest_value(&self) -> f64 {
        self.all().filter(|y| y.is_finite()).fold(0.0, |size, y| size.max(y.abs()))
    }

    fn all(&self) -> impl Iterator<Item = f64> {
        self.above.iter().chain(&self.below).chain([&self.centre]).copied()
    }

    fn is_flat_at(&self, j: usize) -> bool {
        self.above[j] == self.centre && self.below[j] == self.centre
    }

    /// Small steps that change nothing say nothing if larger ones change something on both sides: a sum
    /// that cancels has such stairs. Where one side stays flat, beside a kink, they are right.
    fn drop_steps_below_resolution(&mut self) {
        let Some(top) = self.steps.len().checked_sub(1) else { return };
        let Some(first) = (0..=top).find(|&j| !self.is_flat_at(j)) else { return };
        if self.above[top] != self.centre && self.below[top] != self.centre {
            self.steps.drain(..first);
            self.above.drain(..first);
            self.below.drain(..first);
            self.coarse = first > 0;
        }
    }

    fn slope(&self, side: Side, j: usize) -> f64 {
        let h = self.steps[j];
        match side {
            Side::Both => (self.above[j] - self.below[j]) / (2.0 * h),
            Side::Above => (self.above[j] - self.centre) / h,
            Side::Below => (self.centre - self.below[j]) / h,
        }
    }

    /// The differences of higher order with the noise that is in them, from the smallest step up.
    fn intervals(&self, side: Side) -> Vec<Estimate> {
        // A central difference is off by h^2, a one-sided one by h: two steps of ratio 4 cancel that.
        let (near, far, widening) = match side {
            Side::Both => (16.0 / 15.0, 1.0 / 15.0, 1.0),
            Side::Above | Side::Below => (4.0 / 3.0, 1.0 / 3.0, 3.0),
        };
        let slopes: Vec<f64> = (0..self.steps.len()).map(|j| self.slope(side, j)).collect();
        let found: Vec<(usize, f64)> = (1..self.steps.len())
            .map(|j| (j - 1, near * slopes[j - 1] - far * slopes[j]))
            .filter(|(_, value)| value.is_finite())
            .collect();
        let noise = self.scatter(&slopes).max(self.stairs(&found)).max(self.grain());
        let interval = |&(j, value): &(usize, f64)| {
            let size = self.size(side, j).max(self.size(side, j + 1) / 4.0);
            let size = size.max(self.argument.abs() * value.abs());
            let noise = (f64::EPSILON * size).max(noise) + f64::MIN_POSITIVE;
            Estimate { value, uncertainty: SAFE * widening * noise / self.steps[j] }
        };
        found.iter().map(interval).filter(|estimate| estimate.uncertainty.is_finite()).collect()
    }

    fn size(&self, side: Side, j: usize) -> f64 {
        match side {
            Side::Both => self.above[j].abs().max(self.below[j].abs()),
            Side::Above => self.above[j].abs().max(self.centre.abs()),
            Side::Below => self.below[j].abs().max(self.centre.abs()),
        }
    }

    /// How far the slopes of the smallest steps are from each other, times the step: the noise of the
    /// function.
    fn scatter(&self, slopes: &[f64]) -> f64 {
        let all = self.steps.iter().zip(slopes).filter(|(_, slope)| slope.is_finite());
        let smallest: Vec<_> = all.take(NOISY).collect();
        let mut found: Vec<f64> =
            smallest.windows(2).map(|pair| (pair[0].1 - pair[1].1).abs() * pair[0].0).collect();
        found.sort_by(f64::total_cmp);
        // A kink in between makes one of them large.
        if found.len() > 3 && !self.coarse {
            found.pop();
        }
        let count = found.len().max(1) as f64;
        std::f64::consts::SQRT_2 * (found.iter().map(|x| x * x).sum::<f64>() / count).sqrt()
    }

    /// The largest power of two that all values are multiples of: the last digit of what they are a
    /// difference of.
    fn grain(&self) -> f64 {
        let grain = self.all().map(last_digit).fold(f64::INFINITY, f64::min);
        if grain.is_finite() { grain } else { 0.0 }
    }

    /// Noise that only larger steps see: a term like `1 - y` stays as it is for all steps that don't reach
    /// the next number, so that small ones agree on a slope without it. It shows in how far neighbouring
    /// steps are apart, up to where that grows with every step, which is curvature; a kink is told from
    /// it by being larger than rounding.
    fn stairs(&self, found: &[(usize, f64)]) -> f64 {
        let apart: Vec<f64> =
            found.windows(2).map(|pair| (pair[0].1 - pair[1].1).abs() * self.steps[pair[0].0]).collect();
        let mut level = apart.len();
        while level > 1 && apart[level - 1] > 8.0 * apart[level - 2] {
            level -= 1;
        }
        let most = if self.coarse { f64::INFINITY } else { 64.0 * f64::EPSILON * self.largest };
        apart[..level].iter().fold(0.0, |noise: f64, apart| noise.max(apart.min(most)))
    }

    /// The intervals are climbed for as long as they meet. The topmost of those may already lean, so the
    /// best one below it is taken. Three at least must agree: where smaller steps give ever other
    /// slopes there is no derivative.
    fn settle(&self, side: Side) -> Option<Estimate> {
        let intervals = self.intervals(side);
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let meets = |estimate: &&Estimate| {
            low = low.max(estimate.value - estimate.uncertainty);
            high = high.min(estimate.value + estimate.uncertainty);
            low <= high
        };
        let meeting = intervals.iter().take_while(meets).count();
        if meeting < 3 {
            return None;
        }
        let best = intervals[..meeting - 1].iter().min_by(|a, b| a.uncertainty.total_cmp(&b.uncertainty))?;
        Some(Estimate { uncertainty: 2.0 * best.uncertainty, ..*best })
    }
}

/// The worth of the last digit of a number that isn't 0; infinite for those that have none.
fn last_digit(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return f64::INFINITY;
    }
    let mantissa = x.to_bits() & ((1 << 52) - 1) | 1 << 52;
    power_of_two(x.abs()) * f64::EPSILON * 2f64.powi(mantissa.trailing_zeros() as i32)
}
