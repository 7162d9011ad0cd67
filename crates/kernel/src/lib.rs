//! Loops over memory: what Wengert's tensors and tape run on, and the only crate of it with `unsafe`.
//!
//! Kernels speak of pointers, extents, strides and numbers. [`memory`] says what may be read and who may
//! write it, [`run`] which instructions and how many threads there are, [`real`] what a formula computes
//! with, [`formula`] runs one over elements, [`rows`] what goes along rows, [`gemm`] multiplies matrices.
//! Each kernel checks its bounds once, before its loops, or takes a type that proves them, and has a
//! portable form that runs under Miri.
//!
//! This crate is a part of `wengert-core` and changes with it: use that.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod formula;
pub mod gemm;
#[cfg(test)]
mod guarded;
pub mod memory;
pub mod number;
pub mod real;
pub mod rows;
pub mod run;
