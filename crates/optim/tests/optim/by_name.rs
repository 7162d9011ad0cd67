//! States that go by their parameters' names.

use wengert_core::{Error, Parameter, Tensor, TensorMap};
use wengert_optim::{Adam, AdamOptions, Optimizer, Sgd, SgdOptions};

use crate::{bits, names, parameter, set_grad};

fn named(names: &[&str]) -> Vec<Parameter> {
    let each = names.iter().zip(1..);
    each.map(|(name, i)| {
        let parameter = parameter::<f32, 2>([f64::from(i), -1.0]);
        if name.is_empty() { parameter } else { parameter.named(*name) }
    })
    .collect()
}

/// An optimizer whose parameters have had as many steps as their place says, from 1.
fn stepped(names: &[&str]) -> (Vec<Parameter>, Adam) {
    let parameters = named(names);
    let mut adam = Adam::new(parameters.clone(), 0.1).unwrap().warn_without_gradient(false);
    for step in 0..parameters.len() {
        for (i, parameter) in parameters.iter().enumerate().skip(step) {
            set_grad(parameter, &[i as f64 + 1.0, 0.5]);
        }
        adam.step().unwrap();
        adam.zero_grad();
    }
    (parameters, adam)
}

fn steps(map: &TensorMap) -> Vec<(String, f64)> {
    let steps = map.names().filter_map(|name| {
        Some((name.strip_prefix("state.")?.strip_suffix(".step")?.to_string(), map.number(name).unwrap()))
    });
    steps.collect()
}

fn expected(steps: &[(&str, f64)]) -> Vec<(String, f64)> {
    steps.iter().map(|(name, step)| (name.to_string(), *step)).collect()
}

/// A saved state as it was before there was a version: by number, without entries for what had no step.
fn old_form(map: &TensorMap, keys: &[&str]) -> TensorMap {
    let mut old = TensorMap::new();
    for name in map.names().filter(|name| name.starts_with("group.")) {
        old.insert(name, map.get(name).unwrap().clone());
    }
    for (n, key) in keys.iter().enumerate() {
        let states = map.prefixed(&format!("state.{key}."));
        if states.number("step").unwrap() > 0.0 {
            old.insert_all(&format!("state.{n}."), &states);
        }
    }
    old
}

#[test]
fn states_go_by_name_and_those_without_one_by_number() {
    let (_, adam) = stepped(&["body.weight", "", "head.bias"]);
    let found = steps(&adam.state_dict());
    assert_eq!(found, expected(&[("1", 2.0), ("body.weight", 1.0), ("head.bias", 3.0)]));
}

#[test]
fn names_that_two_parameters_have_say_nothing_and_give_way_to_numbers() {
    let (_, adam) = stepped(&["weight", "bias", "weight", "scale"]);
    let found = steps(&adam.state_dict());
    assert_eq!(found, expected(&[("0", 1.0), ("2", 3.0), ("bias", 2.0), ("scale", 4.0)]));
}

#[test]
fn names_of_digits_are_names_unless_they_could_be_numbers() {
    let (_, adam) = stepped(&["1", "0"]);
    assert_eq!(steps(&adam.state_dict()), expected(&[("0", 2.0), ("1", 1.0)]));
    let (_, adam) = stepped(&["1", "", "w"]);
    assert_eq!(steps(&adam.state_dict()), expected(&[("0", 1.0), ("1", 2.0), ("w", 3.0)]));
}

#[test]
fn the_order_of_parameters_does_not_matter_to_names() {
    let (trained, adam) = stepped(&["a", "b", "c"]);
    let saved = adam.state_dict();
    let copies: Vec<Parameter> = trained.iter().map(Parameter::copy).collect();
    let mut turned = Adam::new(copies.iter().rev().cloned(), 1.0).unwrap();
    turned.load_state_dict(&TensorMap::from_bytes(&saved.to_bytes().unwrap()).unwrap()).unwrap();
    assert_eq!(turned.state_dict(), saved);
    let mut adam = adam;
    for parameters in [&trained, &copies] {
        parameters.iter().for_each(|parameter| set_grad(parameter, &[0.25, -2.0]));
    }
    adam.step().unwrap();
    turned.step().unwrap();
    assert_eq!(bits(&trained), bits(&copies));
}

#[test]
fn a_parameter_that_moves_to_another_group_takes_its_states_along() {
    let make = |first: &[&str], second: &[&str]| {
        let mut sgd = Sgd::with(named(first), SgdOptions::default().momentum(0.5)).unwrap();
        sgd.add_group(named(second), SgdOptions::default().momentum(0.25)).unwrap();
        sgd
    };
    let mut sgd = make(&["a"], &["b", "c"]);
    sgd.parameters().iter().zip(1..).for_each(|(p, i)| set_grad(p, &[f64::from(i), 0.0]));
    sgd.step().unwrap();
    let mut moved = make(&["c", "a"], &["b"]);
    moved.load_state_dict(&sgd.state_dict()).unwrap();
    assert_eq!(moved.state_dict(), sgd.state_dict());
    let buffer = moved.state_dict().tensor::<f32>("state.c.momentum_buffer").unwrap();
    assert_eq!(buffer.to_vec(), [3.0, 0.0]);
}

#[test]
fn the_form_by_number_is_loaded_in_its_order() {
    let keys = ["z", "a", "m"];
    let (parameters, adam) = stepped(&keys);
    let saved = adam.state_dict();
    let old = old_form(&saved, &keys);
    assert_eq!(steps(&old), expected(&[("0", 1.0), ("1", 2.0), ("2", 3.0)]));
    let mut loaded = Adam::new(parameters.clone(), 1.0).unwrap();
    loaded.load_state_dict(&old).unwrap();
    assert_eq!(loaded.state_dict(), saved);
    // What had no step had no entry.
    let mut fresh = Adam::new(parameters, 0.1).unwrap();
    loaded.load_state_dict(&old_form(&fresh.state_dict(), &keys)).unwrap();
    assert_eq!(loaded.state_dict(), fresh.state_dict());
    // And is started over, too, by one that lacks some.
    let mut some = old_form(&saved, &["z"]);
    some.insert_number("state.3.step", 1.0);
    let Error::Mismatch { unexpected, missing, misshapen } = fresh.load_state_dict(&some).unwrap_err() else {
        panic!()
    };
    assert_eq!((unexpected, missing.len(), misshapen.len()), (vec!["state.3.step".to_string()], 0, 0));
}

#[test]
fn one_error_lists_the_names_that_are_missing_unexpected_or_misshapen() {
    let (_, adam) = stepped(&["old.weight", "kept.weight", "wide.weight"]);
    let saved = adam.state_dict();
    let mut parameters = named(&["new.weight", "kept.weight"]);
    parameters.push(Parameter::new(Tensor::zeros([2, 1])).named("wide.weight"));
    let mut other = Adam::with(parameters, AdamOptions::default()).unwrap();
    let before = other.state_dict();
    let error = other.load_state_dict(&saved).unwrap_err();
    let list = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    let states = ["state.new.weight.step", "state.new.weight.exp_avg", "state.new.weight.exp_avg_sq"];
    let surplus = ["state.old.weight.exp_avg", "state.old.weight.exp_avg_sq", "state.old.weight.step"];
    let expected = Error::Mismatch {
        missing: list(&states),
        unexpected: list(&surplus),
        misshapen: list(&[
            "state.wide.weight.exp_avg expected [2, 1], got [2]",
            "state.wide.weight.exp_avg_sq expected [2, 1], got [2]",
        ]),
    };
    assert_eq!(error, expected);
    assert_eq!(other.state_dict(), before);
    assert_eq!(names(&other).len(), 3);
}
