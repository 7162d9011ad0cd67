//! No operation without a property: each name of the registry must have been on a tape that a property of
//! this folder recorded, and no other; each method, for which the sources are read, must be called by one.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wengert_core::{Tape, Tensor, operations};

use crate::check::{V, gradients, leaves, refs};
use crate::draw::for_all;
use crate::{elementwise, lines};

type Names = BTreeSet<String>;

/// The text of every file of a folder, folders in it left out.
fn texts(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// The names that operations have on a tape.
fn registered() -> Names {
    operations::<f64>().iter().map(|operation| operation.name().to_string()).collect()
}

/// The public methods of variables that give variables.
fn methods() -> Names {
    let mut names = Names::new();
    for text in texts("src/ops") {
        for part in text.split("pub fn ").skip(1) {
            let signature = part.split(" {\n").next().unwrap_or_default();
            let gives = signature.rsplit("->").next().unwrap_or_default();
            if signature.contains("&self") && gives.contains("Variable<T>") {
                names.extend(signature.split(['(', '<']).next().map(String::from));
            }
        }
        // `exp Exp;` in a list of formulas.
        let listed = text.lines().filter_map(|line| line.trim().strip_suffix(';')?.split_once(' '));
        let unary = listed.filter(|(method, formula)| {
            method.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                && formula.starts_with(char::is_uppercase)
                && formula.chars().all(char::is_alphanumeric)
        });
        names.extend(unary.map(|(method, _)| method.to_string()));
    }
    names.retain(|name| !["$method", "struct", "type"].contains(&name.as_str()));
    names
}

/// The operations on the tapes of a function's outputs, of their gradients and of the gradients of these.
fn recorded(f: &dyn Fn(&[&V]) -> Vec<V>, inputs: &[Tensor<f64>], names: &RefCell<Names>) {
    let mut inputs = leaves(inputs);
    let mut outputs = f(&refs(&inputs));
    for order in 0..3 {
        let tapes = outputs.iter().map(Tape::of);
        tapes.for_each(|tape| {
            names.borrow_mut().extend(tape.entries().iter().map(|e| e.operation.to_string()))
        });
        outputs.retain(|y| y.requires_grad());
        if order < 2 {
            let cotangents = leaves(&outputs.iter().map(|y| Tensor::ones(y.shape())).collect::<Vec<_>>());
            outputs = gradients(&outputs, &cotangents, &refs(&inputs), true);
            inputs.extend(cotangents);
        }
    }
}

#[test]
fn every_operation_has_a_gradient_property() {
    let names = RefCell::new(Names::new());
    for rule in elementwise::rules::<f64>().iter().filter(|rule| !rule.domains.is_empty()) {
        for_all(rule.name, 4, |draw| {
            recorded(&|v| vec![(rule.function)(v)], &elementwise::arguments(rule.domains, draw), &names);
            Ok(())
        });
    }
    for (name, trial) in lines() {
        for_all(name, 48, |draw| {
            let trial = trial(draw);
            recorded(&*trial.function, &trial.inputs, &names);
            Ok(())
        });
    }
    let (registered, names) = (registered(), names.into_inner());
    let missing: Vec<&String> = registered.difference(&names).collect();
    assert!(missing.is_empty(), "without a property in tests/derivatives: {missing:?}");
    // A formula of the tests' own is nobody else's.
    let own = |name: &String| ["leaf", "Bent"].contains(&name.as_str());
    let unknown: Vec<&String> = names.difference(&registered).filter(|name| !own(name)).collect();
    assert!(unknown.is_empty(), "on a tape, but not in the registry: {unknown:?}");
}

#[test]
fn every_method_is_in_a_gradient_property() {
    let methods = methods();
    assert!(methods.len() > 80, "the sources are not read as they should be: {methods:?}");
    let lists = ["elementwise.rs", "structured.rs", "moved.rs", "arranged.rs"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/derivatives");
    let calls: String = lists.iter().map(|list| fs::read_to_string(folder.join(list)).unwrap()).collect();
    let called = |method: &String| {
        [format!(".{method}("), format!(".{method}::<"), format!("::{method},")]
            .iter()
            .any(|call| calls.contains(call))
    };
    let missing: Vec<&String> = methods.iter().filter(|method| !called(method)).collect();
    assert!(missing.is_empty(), "without a property in tests/derivatives: {missing:?}");
}
