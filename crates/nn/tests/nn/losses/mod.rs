//! Losses against loops over their formulas.

mod binary;
mod cases;
mod classes;
mod counting;
mod ctc;
mod edges;
mod far_ends;
mod refusals;

use wengert_core::{Tensor, Variable};

use crate::V;

/// As many numbers in `[low, high)`, others for each seed.
fn numbers(seed: u64, count: usize, low: f64, high: f64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..count).map(|_| low + (high - low) * next()).collect()
}

fn drawn(seed: u64, shape: &[usize], low: f64, high: f64) -> V {
    let count = shape.iter().product();
    Variable::new(Tensor::from_vec(numbers(seed, count, low, high), shape).unwrap())
}

fn leaf(x: &V) -> V {
    V::new(x.value()).requires_grad_(true)
}

fn of(numbers: &[f64]) -> V {
    V::new(Tensor::from(numbers.to_vec()))
}
