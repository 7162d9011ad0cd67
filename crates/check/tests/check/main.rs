//! The checker: what it lets pass, what it catches, what it leaves open, how a failure reads, and what the
//! strategies draw.

mod as_it_stands;
mod cells;
mod edges;
mod failures;
mod numbers;
mod passes;
mod power;
mod properties;
mod refusals;
mod sabotage;
mod strategies;

use wengert_core::{Tensor, Variable};

type V = Variable<f64>;

/// An input that a gradient is wanted for.
fn input(values: impl Into<Tensor<f64>>) -> V {
    V::new(values.into()).requires_grad_(true)
}

/// A report without the line that runs the case again, which names the test.
fn without_last_line(text: &str) -> &str {
    &text[..=text.rfind('\n').unwrap()]
}
