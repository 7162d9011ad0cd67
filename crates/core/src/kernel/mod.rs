//! Loops over memory: the only place with `unsafe`.
//!
//! What belongs here knows slices, extents and strides and nothing of tensors or variables. Each kernel
//! checks its bounds once, before its loops, and has a portable form that runs under Miri.

pub(crate) mod buffer;
pub(crate) mod copy;
pub(crate) mod cross_entropy;
pub(crate) mod cut;
pub(crate) mod divide;
pub(crate) mod gemm;
#[cfg(test)]
mod guarded;
mod job;
pub(crate) mod lanes;
pub(crate) mod layer_norm;
pub(crate) mod level;
mod pages;
pub(crate) mod plan;
pub(crate) mod pointwise;
pub(crate) mod prefetch;
pub(crate) mod reduce;
pub(crate) mod region;
pub(crate) mod rows;
pub(crate) mod shared;
pub(crate) mod static_ref;
pub(crate) mod takeable;
pub(crate) mod team;
pub(crate) mod view;
