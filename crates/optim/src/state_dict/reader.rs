//! What a saved state holds, number by number, each of them checked.

use std::collections::HashSet;

use wengert_core::{AnyTensor, Error, Float, Result, TensorMap};

use crate::options::Options;
use crate::rule::Rule;
use crate::rule_optimizer::Member;

/// Above it a number of steps is not exact in a file; no rule tells such numbers apart.
pub(super) const MOST_STEPS: f64 = (1u64 << 53) as f64;

/// Reads entries, and collects what does not fit.
pub(super) struct Reader<'m> {
    rule: &'static str,
    map: &'m TensorMap,
    known: HashSet<String>,
    missing: Vec<String>,
    misshapen: Vec<String>,
    /// The first number outside its range.
    refused: Option<Error>,
}

impl<'m> Reader<'m> {
    pub(super) fn new(rule: &'static str, map: &'m TensorMap) -> Self {
        let (missing, misshapen) = (Vec::new(), Vec::new());
        Reader { rule, map, known: HashSet::new(), missing, misshapen, refused: None }
    }

    /// All that does not fit in one error; else what is out of range.
    pub(super) fn finish(self) -> Result<()> {
        let unexpected = self.map.names().filter(|name| !self.known.contains(*name));
        let unexpected: Vec<String> = unexpected.map(str::to_string).collect();
        let Reader { missing, misshapen, refused, .. } = self;
        if !(missing.is_empty() && unexpected.is_empty() && misshapen.is_empty()) {
            return Err(Error::Mismatch { missing, unexpected, misshapen });
        }
        refused.map_or(Ok(()), Err)
    }

    /// A single number, in whatever type.
    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        let entry = self.entry(name)?;
        if !entry.shape().is_empty() || matches!(entry, AnyTensor::Bytes(_)) {
            self.misshapen(name, &[], entry);
            return None;
        }
        entry.cast::<f64>().item().ok()
    }

    pub(super) fn option<O: Options>(&mut self, name: &str, option: &'static str, options: &mut O) {
        if let Some(number) = self.number(name)
            && let Err(error) = options.set(option, number)
        {
            self.refused.get_or_insert(error);
        }
    }

    /// A parameter's steps and states. Where an entry is `required`, those that had no step have one as
    /// well.
    pub(super) fn member<R: Rule, T: Float>(
        &mut self,
        member: &mut Member<T>,
        options: &R,
        prefix: &str,
        required: bool,
    ) {
        (member.step, member.states, member.numbers) = (0, Vec::new(), Vec::new());
        let name = format!("{prefix}.step");
        if !required && self.map.get(&name).is_none() {
            return;
        }
        // Without a count that says more, there may be states.
        let step = self.number(&name);
        let least = if required { 0.0 } else { 1.0 };
        match step {
            Some(step) if step.fract() == 0.0 && (least..=MOST_STEPS).contains(&step) => {
                member.step = step as u64
            }
            Some(step) => {
                let got = format!("{step} for {name}");
                self.refuse("step", &format!("a whole number from {least} to 2^53"), got);
            }
            None => {}
        }
        if required && step == Some(0.0) {
            return;
        }
        for (number, start) in options.numbers() {
            member.numbers.push(self.number(&format!("{prefix}.{number}")).unwrap_or(*start));
        }
        let shape = member.parameter.shape();
        for &state in options.states() {
            let name = format!("{prefix}.{state}");
            let Some(values) = self.values::<T>(&name, shape) else { continue };
            if options.non_negative_states().contains(&state)
                && let Some(below) = values.iter().find(|value| **value < T::ZERO)
            {
                self.refuse(state, "at least 0 everywhere", format!("{} in {name}", below.to_f64()));
            }
            member.states.push((state, values));
        }
    }

    /// A state's elements; none if it had not begun.
    fn values<T: Float>(&mut self, name: &str, shape: &[usize]) -> Option<Vec<T>> {
        let entry = self.entry(name)?;
        let is_real = matches!(entry, AnyTensor::F32(_) | AnyTensor::F64(_));
        if is_real && entry.shape() == shape {
            return Some(entry.cast().to_vec());
        }
        if !is_real || entry.shape() != [0] {
            self.misshapen(name, shape, entry);
        }
        None
    }

    fn entry(&mut self, name: &str) -> Option<&'m AnyTensor> {
        self.known.insert(name.to_string());
        let entry = self.map.get(name);
        if entry.is_none() {
            self.missing.push(name.to_string());
        }
        entry
    }

    fn misshapen(&mut self, name: &str, expected: &[usize], got: &AnyTensor) {
        let (kind, shape) = (got.kind(), got.shape());
        self.misshapen.push(match got {
            AnyTensor::F32(_) | AnyTensor::F64(_) => format!("{name} expected {expected:?}, got {shape:?}"),
            _ => format!("{name} expected {expected:?} of f32 or f64, got {shape:?} of {kind}"),
        });
    }

    fn refuse(&mut self, argument: &'static str, expected: &str, got: impl ToString) {
        self.refused.get_or_insert(Error::argument(self.rule, argument, expected, got));
    }
}
