//! Groups by names.

use proptest::prelude::*;
use wengert_core::Parameter;
use wengert_optim::{Groups, Optimizer, Sgd, SgdOptions};

use crate::parameter;

fn named(names: &[&str]) -> Vec<Parameter> {
    names.iter().map(|name| parameter([1.0]).named(*name)).collect()
}

fn grouped(patterns: &[&str], names: &[&str]) -> wengert_core::Result<Sgd> {
    let groups = Groups::new(SgdOptions::default());
    let add = |groups: Groups<SgdOptions>, pattern: &&str| groups.group(*pattern, SgdOptions::default());
    patterns.iter().fold(groups, add).optimizer(named(names))
}

fn members(sgd: &Sgd) -> Vec<Vec<String>> {
    let names =
        |parameters: Vec<Parameter>| parameters.iter().map(|p| p.name().unwrap().to_string()).collect();
    sgd.groups().iter().map(|group| names(group.parameters())).collect()
}

#[test]
fn a_pattern_takes_the_names_it_fits_and_the_others_are_first() {
    let names = ["rnn.weight_ih", "rnn.bias_ih", "head.weight", "head.bias"];
    let sgd = grouped(&["*bias*", "head.w*t"], &names).unwrap();
    assert_eq!(members(&sgd), [vec![names[0]], vec![names[1], names[3]], vec![names[2]]]);
    let all = grouped(&["*.weight*", "*.bias*"], &names).unwrap();
    assert_eq!(members(&all), [vec![names[0], names[2]], vec![names[1], names[3]]], "there are no others");
}

#[test]
fn a_pattern_that_fits_nothing_is_refused() {
    let error = grouped(&["*.bias"], &["w", "bias"]).unwrap_err();
    assert_eq!(error.to_string(), "SGD: pattern must be the name of a parameter, got \"*.bias\"");
}

#[test]
fn a_parameter_in_two_groups_is_refused() {
    let error = grouped(&["a*", "*b"], &["ab", "b", "a"]).unwrap_err();
    let text = "SGD: pattern must be the only one that a parameter fits, got \"a*\" and \"*b\" for ab";
    assert_eq!(error.to_string(), text);
}

#[test]
fn groups_are_saved_by_name_and_keep_their_rates() {
    let mut sgd = grouped(&["b"], &["a", "b"]).unwrap();
    sgd.set_group_lr(1, 0.5).unwrap();
    let mut other = grouped(&["b"], &["b", "a"]).unwrap();
    other.load_state_dict(&sgd.state_dict()).unwrap();
    assert_eq!((other.groups()[0].options.lr, other.groups()[1].options.lr), (1e-3, 0.5));
}

/// Every way to cut the name.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|at| fits(rest, &name[at..])),
        Some((letter, rest)) => name.first() == Some(letter) && fits(rest, &name[1..]),
    }
}

proptest! {
    #[test]
    fn a_star_is_any_text(pattern in "[ab*]{0,6}", name in "[ab]{0,6}") {
        let found = grouped(&[&pattern], &[&name]).is_ok();
        prop_assert_eq!(found, fits(pattern.as_bytes(), name.as_bytes()));
    }
}
