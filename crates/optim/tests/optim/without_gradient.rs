//! Parameters that no gradient came to: listed, and warned of once.

use std::process::Command;

use wengert_core::Parameter;
use wengert_optim::{Adam, Optimizer, Sgd, SgdOptions};

use crate::{parameter, set_grad};

fn named(name: &str) -> Parameter<f64> {
    parameter::<f64, 2>([1.0, 2.0]).named(name)
}

#[test]
fn they_are_listed_by_name_or_place() {
    let [a, b, c, d] = [named("a"), named("b"), parameter([1.0]), named("frozen")];
    d.set_requires_grad(false);
    let mut sgd = Sgd::new([a.clone(), b.clone()], 0.1).unwrap();
    sgd.add_group([c.clone(), d], SgdOptions::default()).unwrap();
    assert_eq!(sgd.without_gradient(), ["a", "b", "parameter 2 of shape [1]"]);
    set_grad(&b, &[1.0, 1.0]);
    assert_eq!(sgd.without_gradient(), ["a", "parameter 2 of shape [1]"]);
    set_grad(&a, &[0.0, 0.0]);
    set_grad(&c, &[0.0]);
    assert!(sgd.without_gradient().is_empty(), "a gradient of zeros is one");
    let sgd: &dyn Optimizer<f64> = &sgd;
    sgd.zero_grad();
    assert_eq!(sgd.without_gradient().len(), 3);
}

/// What a part of this test writes to the standard error stream, run in a process of its own.
fn said(part: &str) -> Vec<String> {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "without_gradient::the_first_step_warns_once", "--nocapture"])
        .env("WENGERT_TEST_PART", part)
        .output()
        .unwrap();
    let text = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.success(), "{text}");
    text.lines().filter(|line| line.starts_with("warning: ")).map(str::to_string).collect()
}

fn run(part: &str) {
    let parameters: Vec<_> = (0..25).map(|i| named(&format!("layer.{i}"))).collect();
    let some = |from: usize| parameters[from..].iter().for_each(|p| set_grad(p, &[1.0, 1.0]));
    let mut adam = Adam::new(parameters.clone(), 0.1).unwrap();
    match part {
        "partly" => {
            some(2);
            (0..3).for_each(|_| adam.step().unwrap());
        }
        "many" => {
            some(24);
            adam.step().unwrap();
        }
        "later" => {
            some(0);
            adam.step().unwrap();
            parameters[0].zero_grad();
            adam.step().unwrap();
        }
        "frozen" => {
            some(1);
            parameters[0].set_requires_grad(false);
            adam.step().unwrap();
        }
        "refused" => {
            some(1);
            adam.set_lr(-1.0);
            adam.step().unwrap_err();
        }
        "off" => {
            some(1);
            adam = adam.warn_without_gradient(false);
            adam.step().unwrap();
            adam = adam.warn_without_gradient(true);
            (0..2).for_each(|_| adam.step().unwrap());
        }
        part => panic!("no part {part}"),
    }
}

#[test]
fn the_first_step_warns_once() {
    if let Ok(part) = std::env::var("WENGERT_TEST_PART") {
        return run(&part);
    }
    let start = |n: usize| {
        format!(
            "warning: Adam: at its first step {n} of 25 parameters have no gradient and stay as they are: "
        )
    };
    let end =
        "The loss does not depend on them; freeze what is not to learn, or see `warn_without_gradient`.";
    assert_eq!(said("partly"), [format!("{}layer.0, layer.1. {end}", start(2))]);
    let many = &said("many")[0];
    assert!(many.starts_with(&start(24)), "{many}");
    assert!(many.contains("layer.18, layer.19 and 4 more. ") && !many.contains("layer.20"), "{many}");
    assert_eq!(said("off").len(), 1, "asked for again");
    for silent in ["later", "frozen", "refused"] {
        assert!(said(silent).is_empty(), "{silent}: {:?}", said(silent));
    }
}
