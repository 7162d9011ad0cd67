//! Attention: sums of values, weighted by how well keys fit queries.

mod additive;
mod scaled;

pub use additive::AdditiveAttention;
pub use scaled::{AttentionOptions, scaled_dot_product_attention};

use wengert_core::{Float, Tensor, Variable};

/// The softmax of scores (.., L, S) along the last axis. Masked scores are minus infinity; where all of a
/// row are, its weights are zero, and so are its gradients.
#[track_caller]
fn weights<T: Float>(scores: &Variable<T>) -> Variable<T> {
    let none = nothing_in_row(&scores.value());
    if !none.any() {
        return scores.softmax(-1);
    }
    scores.masked_fill(&none, 0.0).softmax(-1).masked_fill(&none, 0.0)
}

/// Rows (.., L, 1) in which all scores are minus infinity.
fn nothing_in_row<T: Float>(scores: &Tensor<T>) -> Tensor<bool> {
    let gone = scores.eq(f64::NEG_INFINITY);
    gone.all_dim(&[-1]).unsqueeze(-1).expect("an axis can be appended to any tensor")
}
