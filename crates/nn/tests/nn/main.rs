//! The modules against naive references, PyTorch's numbers and differences; saving, dropout, and what is
//! refused.

mod activations;
mod all_refused;
mod attentions;
mod cells;
mod context;
mod convolution;
mod draws;
mod dropout;
mod errors;
mod evaluating;
mod flat;
mod golden;
mod gradients;
mod inits;
mod layers;
mod learning;
mod lengths;
#[path = "../../../core/tests/tensor/limited.rs"]
mod limited;
mod losses;
mod module;
mod naive;
mod names;
mod norms;
mod one_unit;
mod options;
mod places;
mod recipes;
mod refused;
mod send_sync;
mod sequences;
mod stack;
mod state_dict;
mod stepper;
mod summaries;
mod truncated;
mod user_cell;
mod weight_norms;

use proptest::prelude::ProptestConfig;
use wengert_core::{Number, Tensor, Variable};
use wengert_nn::Module;

type V = Variable<f64>;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A variable of numbers between -1 and 1.
fn variable(shape: &[usize]) -> V {
    V::new(Tensor::uniform(shape, -1.0, 1.0))
}

/// Every number is within `tolerance` of what is expected.
#[track_caller]
fn close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    let far = got.iter().zip(expected).any(|(a, b)| a.is_nan() || (a - b).abs() > tolerance);
    assert!(!far, "got {got:?}, expected {expected:?}");
}

/// The bits of all parameters.
fn bits<M: Module>(module: &M) -> Vec<u64> {
    module.parameters().iter().flat_map(|p| p.to_vec()).map(|x| x.to_f64().to_bits()).collect()
}

fn names<M: Module>(module: &M) -> Vec<String> {
    module.named_parameters().into_iter().map(|(name, _)| name).collect()
}
