//! A step of each optimizer over a million elements, in one parameter and in a thousand.

use wengert::optim::{RuleOptimizer, SgdOptions};
use wengert::prelude::*;

use super::Workload;

const ELEMENTS: usize = 1_000_000;

/// So many parameters of a million elements in all, each with its gradient.
fn parameters(count: usize) -> Vec<Parameter> {
    let with_gradient = |_| {
        let parameter = Parameter::new(Tensor::randn([ELEMENTS / count]));
        parameter.set_grad(Some(Variable::new(Tensor::randn([ELEMENTS / count]))));
        parameter
    };
    (0..count).map(with_gradient).collect()
}

/// A variant for each of two counts of parameters.
macro_rules! both {
    ($name:ident, $($text:literal: $make:expr),* $(,)?) => {{
        let mut all = Vec::new();
        $(
            for (variant, count) in [(concat!($text, "-1"), 1), (concat!($text, "-1000"), 1000)] {
                let make: fn(Vec<Parameter>) -> Result<_> = $make;
                let mut optimizer = make(parameters(count))?;
                all.push(Workload::new($name, variant, move || {
                    optimizer.step().expect("options in range and every parameter with its gradient");
                }));
            }
        )*
        Ok(all)
    }};
}

/// Steps of all optimizers that go by the gradient alone, with small rates.
pub fn steps(name: &'static str) -> Result<Vec<Workload>> {
    both!(name,
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
    )
}
