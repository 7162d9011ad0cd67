//! What goes along rows, and copies of them.

pub mod copy;
pub mod cross_entropy;
pub mod lanes;
pub mod layer_norm;
pub mod reduce;
pub mod softmax;
