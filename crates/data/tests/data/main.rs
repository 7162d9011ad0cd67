//! Datasets, batches and what is read, against naive references; what is resumed, and what is refused.

#[path = "../../../nn/tests/nn/all_refused.rs"]
mod all_refused;
mod batches;
mod files;
mod fingerprints;
#[path = "../../../core/tests/tensor/leaving.rs"]
mod leaving;
#[path = "../../../core/tests/tensor/limited.rs"]
mod limited;
mod missing;
mod padding;
mod prefetching;
mod refusals;
mod refused;
mod resuming;
mod scalers;
mod splits;
mod truncated;
mod vocabulary;
mod windows;

use proptest::prelude::*;
use wengert_core::{Result, Tensor};
use wengert_data::VecDataset;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// The numbers `0..len` as samples.
fn numbers(len: usize) -> VecDataset<i64> {
    VecDataset::new((0..len as i64).collect())
}

/// The elements of all batches.
fn all(batches: impl Iterator<Item = Result<Tensor<i64>>>) -> Vec<Vec<i64>> {
    batches.map(|batch| batch.unwrap().to_vec()).collect()
}

/// What was refused, as a text.
fn refused<T>(result: Result<T>) -> String {
    result.err().expect("an error").to_string()
}
