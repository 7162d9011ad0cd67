//! A step of each optimizer over a million elements, in one parameter and in a thousand.

use wengert::optim::{LbfgsOptions, RuleOptimizer, SgdOptions};
use wengert::prelude::*;

use super::Workload;

const ELEMENTS: usize = 1_000_000;

/// So many parameters of a million elements in all, each with its gradient.
fn parameters(count: usize) -> Vec<Parameter> {
    with_gradients(count, &[ELEMENTS / count])
}

/// [`parameters`] that are matrices: of 1000 rows, or of 25.
fn matrices(count: usize) -> Vec<Parameter> {
    let rows = if count == 1 { 1000 } else { 25 };
    with_gradients(count, &[rows, ELEMENTS / count / rows])
}

fn with_gradients(count: usize, shape: &[usize]) -> Vec<Parameter> {
    let with_gradient = |_| {
        let parameter = Parameter::new(Tensor::randn(shape));
        parameter.set_grad(Some(Variable::new(Tensor::randn(shape))));
        parameter
    };
    (0..count).map(with_gradient).collect()
}

/// A variant for each of two counts of parameters.
macro_rules! both {
    ($name:ident, $($parameters:ident { $($text:literal: $make:expr),* $(,)? })*) => {{
        let mut all = Vec::new();
        $($(
            for (variant, count) in [(concat!($text, "-1"), 1), (concat!($text, "-1000"), 1000)] {
                let make: fn(Vec<Parameter>) -> Result<_> = $make;
                let mut optimizer = make($parameters(count))?;
                all.push(Workload::new($name, variant, move || {
                    optimizer.step().expect("options in range and every parameter with its gradient");
                }));
            }
        )*)*
        all
    }};
}

/// Steps of all optimizers, with small rates.
pub fn steps(name: &'static str) -> Result<Vec<Workload>> {
    let mut all = both!(name,
        parameters {
            "sgd": |p| Sgd::new(p, 1e-4),
            "momentum": |p| RuleOptimizer::with(p, SgdOptions::default().lr(1e-4).momentum(0.9)),
            "adam": |p| Adam::new(p, 1e-4),
            "adamw": |p| AdamW::new(p, 1e-4),
            "rmsprop": |p| RmsProp::new(p, 1e-4),
            "adagrad": |p| Adagrad::new(p, 1e-4),
            "adadelta": |p| Adadelta::new(p, 1e-2),
            "adamax": |p| Adamax::new(p, 1e-4),
            "nadam": |p| NAdam::new(p, 1e-4),
            "radam": |p| RAdam::new(p, 1e-4),
            "rprop": |p| Rprop::new(p, 1e-4),
            "asgd": |p| Asgd::new(p, 1e-4),
            "lion": |p| Lion::new(p, 1e-4),
        }
        matrices { "muon": |p| Muon::new(p, 1e-4) }
    );
    for (variant, count) in [("lbfgs-1", 1), ("lbfgs-1000", 1000)] {
        all.push(one_iteration(name, variant, parameters(count))?);
    }
    Ok(all)
}

/// An iteration of L-BFGS that remembers ten, on half the squares' sum, with a rate so small that it never
/// ends: the loss and its gradient are in it.
fn one_iteration(name: &'static str, variant: &'static str, parameters: Vec<Parameter>) -> Result<Workload> {
    let options = LbfgsOptions::default().lr(1e-4).max_iter(1).history_size(10);
    let options = options.tolerance_grad(0.0).tolerance_change(0.0);
    let mut optimizer = Lbfgs::with(parameters.clone(), options)?;
    Ok(Workload::new(name, variant, move || {
        let loss = || Ok(parameters.iter().map(|parameter| parameter.square().sum()).sum::<Variable>() * 0.5);
        optimizer.step(loss).expect("a finite loss");
    }))
}
