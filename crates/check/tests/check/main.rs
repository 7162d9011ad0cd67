//! The checker: what it lets pass, what it catches, how a failure reads, and what the strategies draw.

mod failures;
mod passes;
mod refusals;
mod sabotage;
mod strategies;

use wengert_core::{Tensor, Variable};

type V = Variable<f64>;

/// An input that a gradient is wanted for.
fn input(values: impl Into<Tensor<f64>>) -> V {
    V::new(values.into()).requires_grad_(true)
}
