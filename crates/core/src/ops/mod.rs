//! The operations on variables, each with its rule beside it.
//!
//! A pointwise one is a formula (`elementwise.rs`, `activation.rs`, `arithmetic.rs`): a few lines of
//! [`pointwise!`](crate::pointwise!) and a method. Any other is an [`Operation`](crate::Operation): a struct of its
//! arguments, `forward` in tensors, `pullback` in variables, and a method that checks the arguments. A new one is a
//! new file here, or a few lines in the file of its kind, and its line in the property tests.
//!
//! A pullback is linear in its cotangents, so operations come in pairs whose pullbacks are each other:
//! `sum` and `expand`, `narrow` and `Embed`, `index_select` and `index_add`, `gather` and `scatter_add`.

mod activation;
mod arithmetic;
mod compare;
mod cross_entropy;
mod dropout;
mod elementwise;
mod index;
mod join;
mod layer_norm;
mod linear;
mod matmul;
mod maximum;
mod products;
mod rearrange;
pub(crate) mod region;
mod scan;
mod softmax;
mod sort;
mod statistics;
mod sum;
mod triangle;
mod view;

pub(crate) use join::one_behind_the_other;
pub use join::{cat, stack};
