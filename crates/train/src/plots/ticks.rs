//! Where an axis has its numbers.

/// An axis: the range that is shown, and its numbers.
pub(super) struct Axis {
    low: f64,
    high: f64,
    /// Value and text.
    pub ticks: Vec<(f64, String)>,
    log: bool,
}

/// Beyond it a difference of two numbers may not be one.
pub(super) const FAR: f64 = 1e300;

impl Axis {
    /// The axis of whole steps, with at most so many numbers.
    pub(super) fn whole(values: impl Iterator<Item = f64>, most: usize) -> Self {
        let (low, high) = range(values, 0.5);
        let ticks = multiples(low, high, nice(high - low, most).max(1.0));
        Axis { low, high, ticks: ticks.map(|value| (value, format!("{value}"))).collect(), log: false }
    }

    /// The axis of any values, a little wider than they are.
    pub(super) fn linear(values: impl Iterator<Item = f64>, most: usize) -> Self {
        let (low, high) = range(values, 0.5);
        let margin = 0.04 * (high - low);
        let (low, high) = (low - margin, high + margin);
        let step = nice(high - low, most);
        let ticks = multiples(low, high, step).map(|value| (value, decimal(value, step))).collect();
        Axis { low, high, ticks, log: false }
    }

    /// The logarithmic axis of the values above 0.
    pub(super) fn log(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = range(values.filter(|value| *value > 0.0).map(f64::log10), 0.3);
        let margin = 0.04 * (high - low);
        let (low, high) = (low - margin, high + margin);
        let of = |factors: &[f64]| {
            let step = ((high - low) / 10.0).ceil().max(1.0);
            let decades = multiples((low / step).floor() * step, high, step);
            let all = decades.flat_map(|decade| factors.iter().map(move |factor| (decade, *factor)));
            let inside = |value: f64| (low..=high).contains(&value.log10());
            let values =
                all.map(|(decade, factor)| factor * 10f64.powf(decade)).filter(|value| inside(*value));
            values.map(|value| (value, decimal(value, value))).collect::<Vec<_>>()
        };
        let lists = [&[1.0][..], &[1.0, 2.0, 5.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0]].map(of);
        let enough = |ticks: &Vec<(f64, String)>| ticks.len() >= 3;
        let [.., finest] = &lists;
        Axis { low, high, ticks: lists.iter().find(|list| enough(list)).unwrap_or(finest).clone(), log: true }
    }

    /// Which part of the way a value is at; none for one that has no place.
    pub(super) fn part(&self, value: f64) -> Option<f64> {
        let value = if self.log { value.log10() } else { value.clamp(-FAR, FAR) };
        let part = (value - self.low) / (self.high - self.low);
        Some(part).filter(|part| part.is_finite())
    }
}

/// The range of the finite values; some room around where they are all the same.
fn range(values: impl Iterator<Item = f64>, room: f64) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite()).map(|value| value.clamp(-FAR, FAR));
    let (low, high) = finite.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let least = low.abs().max(high.abs()) * 1e-12;
    if high - low > least { (low, high) } else { (low - room - least, high + room + least) }
}

/// A step of 1, 2 or 5 times a power of ten that goes into the width about so often.
fn nice(width: f64, most: usize) -> f64 {
    let rough = width / most.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

/// The multiples of a step in a range.
fn multiples(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    // Not -0, which prints its sign.
    (0..=(last - first).max(-1.0) as i64).map(move |i| (first + i as f64) * step + 0.0).take(100)
}

/// A number with as many digits as tell multiples of `step` apart.
pub(super) fn decimal(value: f64, step: f64) -> String {
    let digits = (-step.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    match value.abs() {
        0.0 => "0".to_string(),
        size if (1e-4..1e5).contains(&size) => format!("{value:.digits$}"),
        size => {
            // The digits that the step leaves of the mantissa.
            let digits = (size.log10().floor() - step.abs().log10().floor()).clamp(0.0, 6.0) as usize;
            format!("{value:.digits$e}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, decimal};

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.1.as_str()).collect()
    }

    #[test]
    fn steps_are_whole_numbers() {
        assert_eq!(texts(&Axis::whole([0.0, 3.0].into_iter(), 8)), ["0", "1", "2", "3"]);
        assert_eq!(texts(&Axis::whole([7.0].into_iter(), 8)), ["7"]);
        assert_eq!(texts(&Axis::whole([10.0, 980.0].into_iter(), 5)), ["200", "400", "600", "800"]);
    }

    #[test]
    fn values_have_the_digits_that_tell_them_apart() {
        assert_eq!(texts(&Axis::linear([0.0, 1.0].into_iter(), 5)), ["0", "0.5", "1.0"]);
        assert_eq!(texts(&Axis::linear([-3e-7, 3e-7].into_iter(), 4)), ["-2e-7", "0", "2e-7"]);
        assert_eq!(decimal(123456.0, 1.0), "1.23456e5");
    }

    #[test]
    fn logarithmic_numbers_are_powers_or_enough_of_what_is_between() {
        assert_eq!(texts(&Axis::log([0.001, 100.0].into_iter())), ["0.001", "0.01", "0.1", "1", "10", "100"]);
        assert_eq!(texts(&Axis::log([1.1, 40.0].into_iter())), ["1", "2", "5", "10", "20"]);
        assert!(texts(&Axis::log([1e-30, 1.0, 0.0, -3.0].into_iter())).len() <= 11);
    }

    #[test]
    fn no_values_are_too_strange() {
        for values in [vec![], vec![f64::NAN], vec![f64::MAX, f64::MIN], vec![1e15, 1e15 + 1.0], vec![-0.0]] {
            for axis in [
                Axis::whole(values.iter().copied(), 8),
                Axis::linear(values.iter().copied(), 8),
                Axis::log(values.iter().copied()),
            ] {
                assert!(axis.ticks.len() <= 100);
                assert!(axis.part(f64::NAN).is_none());
            }
        }
    }
}
