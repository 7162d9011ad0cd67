//! An optimizer's options and states as named tensors.
//!
//! `group.G.OPTION` for each option, `state.N.step` and `state.N.STATE` for the N-th parameter if it has had a step.

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
    for (n, member) in stepper.members().enumerate().filter(|(_, member)| member.step > 0) {
        map.insert_number(format!("state.{n}.step"), member.step as f64);
        for (state, values) in R::STATES.iter().zip(&member.states) {
            let values = Tensor::from_fn(member.parameter.shape(), |i| values[i]);
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
    fn number(&mut self, map: &TensorMap, name: &str) -> f64 {
        map.number(name).unwrap_or_else(|_| {
            self.missing.push(name.to_string());
            0.0
        })
    }

    fn values<T: Float>(&mut self, map: &TensorMap, name: &str, shape: &[usize]) -> Vec<T> {
        match map.tensor::<T>(name) {
            Ok(tensor) if tensor.shape() == shape => return tensor.to_vec(),
            Ok(tensor) => self.misshapen.push(format!("{name} expected {shape:?}, got {:?}", tensor.shape())),
            Err(_) => self.missing.push(name.to_string()),
        }
        Vec::new()
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
            value.set(mismatch.number(map, &name));
            known.insert(name);
        }
        for member in &mut group.members {
            load_member::<R, T>(member, map, &format!("state.{members}"), &mut mismatch, &mut known);
            members += 1;
        }
    }
    let unexpected: Vec<String> = map.names().filter(|name| !known.contains(*name)).map(str::to_string).collect();
    let Mismatch { missing, misshapen } = mismatch;
    if !(missing.is_empty() && unexpected.is_empty() && misshapen.is_empty()) {
        return Err(Error::Mismatch { missing, unexpected, misshapen });
    }
    loaded.groups.iter().try_for_each(|group| group.options.check())?;
    *stepper = loaded;
    Ok(())
}

fn load_member<R: Rule, T: Float>(
    member: &mut Member<T>,
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
    member.step = mismatch.number(map, &step) as u64;
    known.insert(step);
    member.states = R::STATES
        .iter()
        .map(|state| {
            let name = format!("{prefix}.{state}");
            let values = mismatch.values(map, &name, member.parameter.shape());
            known.insert(name);
            values
        })
        .collect();
}
