//! An optimizer's options and states as named tensors.
//!
//! `version`; `group.G.OPTION` for each option; for each parameter `state.KEY.step`, its number of steps,
//! and if it has had one `state.KEY.STATE` for each state and each of the rule's numbers. A state that the
//! options ask for but no step has begun yet, because they were changed since, is an empty tensor.
//!
//! The key is the parameter's name; if it has none, or shares it, its number over all groups. In the first
//! version, which had no number, all keys were numbers, and parameters without a step had no entries.

mod reader;

use std::collections::HashMap;

use wengert_core::{Error, Float, Result, StateReader, Tensor, TensorMap};

use crate::rule::Rule;
use crate::rule_optimizer::{RuleOptimizer, check};
use reader::{MOST_STEPS, member, number, option};

const VERSION: &str = "version";
/// By name.
const CURRENT: f64 = 2.0;

pub(crate) fn save<R: Rule, T: Float>(optimizer: &RuleOptimizer<R, T>) -> TensorMap {
    let mut map = TensorMap::new();
    map.insert_number(VERSION, CURRENT);
    for (g, group) in optimizer.groups.iter().enumerate() {
        for (option, value) in group.options.list() {
            map.insert_number(format!("group.{g}.{option}"), value);
        }
    }
    let members =
        optimizer.groups.iter().flat_map(|group| group.members.iter().map(|member| (&group.options, member)));
    for ((options, member), key) in members.zip(keys(optimizer)) {
        map.insert_number(format!("state.{key}.step"), (member.step as f64).min(MOST_STEPS));
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

/// What each parameter's states go by: its name, or its number if that says more.
fn keys<R: Rule, T: Float>(optimizer: &RuleOptimizer<R, T>) -> Vec<String> {
    let mut times = HashMap::new();
    optimizer.members().for_each(|member| *times.entry(member.parameter.name()).or_insert(0) += 1);
    let is_unique = |name: &Option<&str>| name.is_some() && times[name] == 1;
    let all_unique = optimizer.members().all(|member| is_unique(&member.parameter.name()));
    // A name of digits, as a list gives, would be taken for another's number.
    let is_key = |name: &str| all_unique || !name.bytes().all(|byte| byte.is_ascii_digit());
    let members = optimizer.members().enumerate();
    members
        .map(|(n, member)| match member.parameter.name() {
            name @ Some(key) if is_unique(&name) && is_key(key) => key.to_string(),
            _ => n.to_string(),
        })
        .collect()
}

pub(crate) fn load<R: Rule, T: Float>(optimizer: &mut RuleOptimizer<R, T>, map: &TensorMap) -> Result<()> {
    let mut reader = StateReader::new(R::NAME, map);
    // The first version had no number.
    let by_name = map.get(VERSION).is_some();
    let keys = if by_name {
        keys(optimizer)
    } else {
        (0..optimizer.members().count()).map(|n| n.to_string()).collect()
    };
    if by_name && number(&mut reader, VERSION).is_some_and(|version| version != CURRENT) {
        let got = map.number(VERSION)?;
        return Err(Error::argument(R::NAME, "the saved state's version", CURRENT, got));
    }
    // Into a copy, which takes the place only if all fits; its parameters are the same ones.
    let mut loaded = optimizer.clone();
    let mut keys = keys.iter();
    for (g, group) in loaded.groups.iter_mut().enumerate() {
        for (name, _) in group.options.list() {
            option(&mut reader, &format!("group.{g}.{name}"), name, &mut group.options);
        }
        // Which states there are follows from the options just loaded.
        for (own, key) in group.members.iter_mut().zip(&mut keys) {
            member(&mut reader, own, &group.options, &format!("state.{key}"), by_name);
        }
    }
    reader.finish()?;
    loaded.groups.iter().try_for_each(|group| check(&group.options))?;
    *optimizer = loaded;
    Ok(())
}
