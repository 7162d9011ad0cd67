//! The tape: how long and wide it may be, what it frees, how gradients pass, and what it says when it
//! refuses.

mod anomaly;
mod captured;
mod checkpoint;
mod custom;
mod dropped;
mod functional;
mod gradients;
mod growth;
mod hooks;
mod memory;
mod parameters;
mod passing;
mod places;
mod plain;
mod refusals;
mod replay;
mod threads;

use wengert_core::{Tensor, Variable};

type V = Variable<f64>;

fn scalar(value: f64) -> V {
    V::new(Tensor::scalar(value)).requires_grad_(true)
}

fn vector<const N: usize>(values: [f64; N]) -> V {
    V::new(Tensor::from(values.to_vec())).requires_grad_(true)
}

fn gradient(x: &V) -> Vec<f64> {
    x.grad().expect("a gradient").to_vec()
}
