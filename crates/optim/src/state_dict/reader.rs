//! What a saved state of an optimizer holds, number by number, each of them checked.

use wengert_core::{AnyTensor, Error, Float, StateReader};

use crate::options::Options;
use crate::rule::Rule;
use crate::rule_optimizer::Member;

/// Above it a number of steps is not exact in a file; no rule tells such numbers apart.
pub(super) const LAST_EXACT_STEP: f64 = (1u64 << 53) as f64;

/// A single number, if it fits.
pub(super) fn number(reader: &mut StateReader<'_>, name: &str) -> Option<f64> {
    reader.numbers(name, &[])?.first().copied()
}

pub(crate) fn option<O: Options>(
    reader: &mut StateReader<'_>,
    name: &str,
    option: &'static str,
    options: &mut O,
) {
    if let Some(number) = number(reader, name)
        && let Err(error) = options.set(option, number)
    {
        reader.refuse_with(error);
    }
}

/// The steps and states of a parameter that has none yet. Where an entry is `required`, those that had no
/// step have one as well.
pub(super) fn member<R: Rule, T: Float>(
    reader: &mut StateReader<'_>,
    member: &mut Member<T>,
    options: &R,
    prefix: &str,
    required: bool,
) {
    let name = format!("{prefix}.step");
    if !required && !reader.has(&name) {
        return;
    }
    // Without a count that says more, there may be states.
    let step = number(reader, &name);
    let least = if required { 0.0 } else { 1.0 };
    match step {
        Some(step) if step.fract() == 0.0 && (least..=LAST_EXACT_STEP).contains(&step) => {
            member.step = step as u64
        }
        Some(step) => {
            let expected = format!("a whole number from {least} to 2^53");
            reader.refuse_with(Error::argument(R::NAME, "step", expected, format!("{step} for {name}")));
        }
        None => {}
    }
    if required && step == Some(0.0) {
        return;
    }
    for (name, start) in options.numbers() {
        member.numbers.push(number(reader, &format!("{prefix}.{name}")).unwrap_or(*start));
    }
    let shape = member.parameter.shape();
    for &state in options.states() {
        let name = format!("{prefix}.{state}");
        let Some(values) = values::<T>(reader, &name, shape) else { continue };
        if options.non_negative_states().contains(&state)
            && let Some(below) = values.iter().find(|value| **value < T::ZERO)
        {
            let got = format!("{} in {name}", below.to_f64());
            reader.refuse_with(Error::argument(R::NAME, state, "at least 0 everywhere", got));
        }
        member.states.push((state, values));
    }
}

/// A state's elements; none if it had not begun.
fn values<T: Float>(reader: &mut StateReader<'_>, name: &str, shape: &[usize]) -> Option<Vec<T>> {
    let entry = reader.entry(name)?;
    let is_real = matches!(entry, AnyTensor::F32(_) | AnyTensor::F64(_));
    if is_real && entry.shape() == shape {
        return Some(entry.cast().to_vec());
    }
    if !is_real || entry.shape() != [0] {
        reader.misshapen(name, shape, entry);
    }
    None
}
