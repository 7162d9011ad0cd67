//! An optimizer's options and states as named tensors.
//!
//! `group.G.OPTION` for each option, `state.N.step` and `state.N.STATE` for the N-th parameter if it has had a step. A state
//! that the options ask for but no step has begun yet, because they were changed since, is an empty tensor.

use wengert_core::{Error, Float, Result, Tensor, TensorMap};

use crate::rule::Rule;
use crate::stepper::{Member, Stepper};

pub(crate) fn save<R: Rule, T: Float>(stepper: &Stepper<R, T>) -> TensorMap {
    let mut map = TensorMap::new();
    for (g, group) in stepper.groups.iter().enumerate() {
        for (option, value) in group.options.clone().options() {
            map.insert_number(format!("group.{g}.{option}"), value.get());
        }
    }
    let members =
        stepper.groups.iter().flat_map(|group| group.members.iter().map(|member| (&group.options, member)));
    for (n, (options, member)) in members.enumerate().filter(|(_, (_, member))| member.step > 0) {
        map.insert_number(format!("state.{n}.step"), member.step as f64);
        for state in options.states() {
            let values = match member.states.iter().find(|(name, _)| name == state) {
                Some((_, values)) => Tensor::from_fn(member.parameter.shape(), |i| values[i]),
                None => Tensor::zeros([0]),
            };
            map.insert(format!("state.{n}.{state}"), values);
        }
    }
    map
}

/// What does not fit, collected.
#[derive(Default)]
struct Mismatch {
    missing: Vec<String>,
    misshapen: Vec<String>,
}

impl Mismatch {
    fn number(&mut self, map: &TensorMap, name: &str) -> Option<f64> {
        let tensor = self.tensor::<f64>(map, name)?;
        tensor.item().map_err(|_| self.misshapen(name, &[], tensor.shape())).ok()
    }

    /// A state's elements; none if it had not begun.
    fn values<T: Float>(&mut self, map: &TensorMap, name: &str, shape: &[usize]) -> Option<Vec<T>> {
        let tensor = self.tensor::<T>(map, name)?;
        if tensor.shape() != shape && tensor.shape() != [0] {
            self.misshapen(name, shape, tensor.shape());
        }
        (tensor.shape() == shape).then(|| tensor.to_vec())
    }

    fn tensor<T: Float>(&mut self, map: &TensorMap, name: &str) -> Option<Tensor<T>> {
        map.tensor(name).map_err(|_| self.missing.push(name.to_string())).ok()
    }

    fn misshapen(&mut self, name: &str, expected: &[usize], got: &[usize]) {
        self.misshapen.push(format!("{name} expected {expected:?}, got {got:?}"));
    }
}

pub(crate) fn load<R: Rule, T: Float>(stepper: &mut Stepper<R, T>, map: &TensorMap) -> Result<()> {
    // Into a copy, which takes the place only if all fits; its parameters are the same ones.
    let mut loaded = stepper.clone();
    let mut mismatch = Mismatch::default();
    let mut known = std::collections::HashSet::new();
    let mut members = 0;
    for (g, group) in loaded.groups.iter_mut().enumerate() {
        for (option, mut value) in group.options.options() {
            let name = format!("group.{g}.{option}");
            if let Some(number) = mismatch.number(map, &name) {
                value.set(number);
            }
            known.insert(name);
        }
        // Which states there are follows from the options just loaded.
        for member in &mut group.members {
            load_member(
                member,
                group.options.states(),
                map,
                &format!("state.{members}"),
                &mut mismatch,
                &mut known,
            );
            members += 1;
        }
    }
    let unexpected: Vec<String> =
        map.names().filter(|name| !known.contains(*name)).map(str::to_string).collect();
    let Mismatch { missing, misshapen } = mismatch;
    if !(missing.is_empty() && unexpected.is_empty() && misshapen.is_empty()) {
        return Err(Error::Mismatch { missing, unexpected, misshapen });
    }
    loaded.groups.iter().try_for_each(|group| group.options.check())?;
    for step in (0..members).filter_map(|n| map.number(&format!("state.{n}.step")).ok()) {
        if !(step >= 1.0 && step.fract() == 0.0) {
            return Err(Error::argument(R::NAME, "step", "a whole number from 1", step));
        }
    }
    *stepper = loaded;
    Ok(())
}

fn load_member<T: Float>(
    member: &mut Member<T>,
    states: &[&'static str],
    map: &TensorMap,
    prefix: &str,
    mismatch: &mut Mismatch,
    known: &mut std::collections::HashSet<String>,
) {
    let step = format!("{prefix}.step");
    if map.get(&step).is_none() {
        // Not stepped when it was saved; any state without a step count will count as unexpected.
        (member.step, member.states) = (0, Vec::new());
        return;
    }
    member.step = mismatch.number(map, &step).map_or(0, |step| step as u64);
    known.insert(step);
    let states = states.iter().filter_map(|&state| {
        let name = format!("{prefix}.{state}");
        let values = mismatch.values(map, &name, member.parameter.shape());
        known.insert(name);
        Some((state, values?))
    });
    member.states = states.collect();
}
