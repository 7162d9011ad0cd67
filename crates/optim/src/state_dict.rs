//! An optimizer's options and states as named tensors.
//!
//! `version`; `group.G.OPTION` for each option, and `group.G.initial_lr`; for each parameter
//! `state.KEY.step`, its number of steps, and if it has had one `state.KEY.STATE` for each state and each of
//! the rule's numbers. A state that the options ask for but no step has begun yet, because they were changed
//! since, is an empty tensor.
//!
//! The key is the parameter's name; if it has none, or shares it, its number over all groups. In the first
//! version, which had no number, all keys were numbers, and parameters without a step had no entries.

mod reader;

use std::collections::HashMap;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Result, StateReader, Tensor, TensorMap};

use crate::rule::Rule;
use crate::rule_optimizer::{RuleOptimizer, check};
pub(crate) use reader::option;
use reader::{LAST_EXACT_STEP, member, number};

pub(crate) const VERSION: &str = "version";
/// By name.
pub(crate) const CURRENT: f64 = 2.0;

pub(crate) fn save<R: Rule, T: Float>(optimizer: &RuleOptimizer<R, T>) -> TensorMap {
    let mut map = TensorMap::new();
    map.insert_number(VERSION, CURRENT);
    for (g, group) in optimizer.groups.iter().enumerate() {
        for (option, value) in group.options.list() {
            map.insert_number(format!("group.{g}.{option}"), value);
        }
        map.insert_number(initial_lr(g), group.initial_lr);
    }
    let members =
        optimizer.groups.iter().flat_map(|group| group.members.iter().map(|member| (&group.options, member)));
    for ((options, member), key) in members.zip(keys_of(optimizer)) {
        map.insert_number(format!("state.{key}.step"), (member.step as f64).min(LAST_EXACT_STEP));
        for ((name, _), number) in options.numbers().iter().zip(&member.numbers) {
            map.insert_number(format!("state.{key}.{name}"), *number);
        }
        for state in options.states().iter().filter(|_| member.step > 0) {
            let values = match member.states.iter().find(|(name, _)| name == state) {
                Some((_, values)) => Tensor::from_fn(member.parameter.shape(), |i| values[i]),
                None => Tensor::zeros([0]),
            };
            map.insert(format!("state.{key}.{state}"), values);
        }
    }
    map
}

/// Under which name the rate stands that a group was declared with, as PyTorch's schedulers call it.
fn initial_lr(group: usize) -> String {
    format!("group.{group}.initial_lr")
}

/// Refuses a state of a version that is not known.
pub(crate) fn check_version(reader: &mut StateReader<'_>, optimizer: &'static str) -> Result<()> {
    match number(reader, VERSION) {
        Some(got) if got != CURRENT => {
            Err(Error::argument(optimizer, "the saved state's version", CURRENT, got))
        }
        _ => Ok(()),
    }
}

fn keys_of<R: Rule, T: Float>(optimizer: &RuleOptimizer<R, T>) -> Vec<String> {
    let parameters: Vec<&Parameter<T>> = optimizer.members().map(|member| &member.parameter).collect();
    keys(&parameters)
}

/// What each parameter's states go by: its name, or its number if that says more.
pub(crate) fn keys<T: Float>(parameters: &[&Parameter<T>]) -> Vec<String> {
    let mut times = HashMap::new();
    parameters.iter().for_each(|parameter| *times.entry(parameter.name()).or_insert(0) += 1);
    let is_unique = |name: &Option<&str>| name.is_some() && times[name] == 1;
    let all_unique = parameters.iter().all(|parameter| is_unique(&parameter.name()));
    // A name of digits, as a list gives, would be taken for another's number.
    let is_key = |name: &str| all_unique || !name.bytes().all(|byte| byte.is_ascii_digit());
    let numbered = parameters.iter().enumerate();
    numbered
        .map(|(n, parameter)| match parameter.name() {
            name @ Some(key) if is_unique(&name) && is_key(key) => key.to_string(),
            _ => n.to_string(),
        })
        .collect()
}

pub(crate) fn load<R: Rule, T: Float>(optimizer: &mut RuleOptimizer<R, T>, map: &TensorMap) -> Result<()> {
    or_refused(R::NAME, || load_all(optimizer, map))
}

fn load_all<R: Rule, T: Float>(optimizer: &mut RuleOptimizer<R, T>, map: &TensorMap) -> Result<()> {
    let mut reader = StateReader::new(R::NAME, map);
    // The first version had no number.
    let by_name = map.get(VERSION).is_some();
    let keys = if by_name {
        keys_of(optimizer)
    } else {
        (0..optimizer.members().count()).map(|n| n.to_string()).collect()
    };
    if by_name {
        check_version(&mut reader, R::NAME)?;
    }
    // Into another one, which takes the place only if all fits; its parameters are the same ones.
    let mut loaded = optimizer.without_states();
    let mut keys = keys.iter();
    for (g, group) in loaded.groups.iter_mut().enumerate() {
        for (name, _) in group.options.list() {
            option(&mut reader, &format!("group.{g}.{name}"), name, &mut group.options);
        }
        // Without one, what the group was declared with here counts.
        let declared = reader.has(&initial_lr(g)).then(|| number(&mut reader, &initial_lr(g))).flatten();
        group.initial_lr = declared.unwrap_or(group.initial_lr);
        // Which states there are follows from the options just loaded.
        for (own, key) in group.members.iter_mut().zip(&mut keys) {
            member(&mut reader, own, &group.options, &format!("state.{key}"), by_name);
        }
    }
    reader.finish()?;
    loaded.groups.iter().try_for_each(|group| {
        check(&group.options)?;
        let mut declared = group.options.clone();
        declared.set_lr(group.initial_lr);
        declared.check_ranges()
    })?;
    *optimizer = loaded;
    Ok(())
}
