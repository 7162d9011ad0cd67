#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! - [`Gradcheck`], [`gradcheck`], [`gradgradcheck`], [`gradcheck_module`]: one function or module at one
//!   point.
//! - [`check_derivative`]: any Rust function against a derivative that was written by hand.
//! - [`Failure`]: what is wrong, where, and by how much. [`Report`]: what could not be decided.
//! - [`check_gradient!`](crate::check_gradient!), [`Property`]: at all points that strategies draw.
//! - [`tensor`](tensor()), [`layouts_of`], [`shapes`](shapes()), [`broadcast_shapes`],
//!   [`recurrent`](recurrent()), [`randomized`]: strategies; [`draws`] makes more, from a [`Draw`].
//! - [`RandomProgram`], [`programs`](programs()), [`check_programs`]: whole programs over the registry of
//!   operations, run by the fast ways of the tape and plainly.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod analytical;
mod case;
mod check_gradient;
mod derivative;
mod difference;
mod draw;
mod elements;
mod failure;
mod gradcheck;
mod matrix;
mod module;
mod operations;
mod outputs;
mod panics;
mod program;
mod property;
mod recorded;
mod recurrent;
mod report;
mod runner;
mod shapes;
mod shrink;
mod subject;
mod tensors;
mod verdict;
mod worst;

pub use case::Case;
pub use derivative::{IntoNumbers, check_derivative};
pub use draw::{Draw, Drawable, Drawn, draws};
pub use failure::{ElementPlace, Failure, Mismatch};
pub use gradcheck::{Gradcheck, gradcheck, gradgradcheck};
pub use matrix::Matrix;
pub use module::{Call, gradcheck_module, gradgradcheck_module};
pub use outputs::IntoOutputs;
pub use program::{Digest, RandomProgram, Tally, check_programs, programs};
pub use property::Property;
pub use recurrent::{Form, RecurrentConfig, randomized, recurrent};
pub use report::{Doubt, Report};
pub use shapes::{Extent, Shape, broadcast_shapes, broadcasts_to, shapes};
pub use shrink::Shrinking;
pub use tensors::{TensorStrategy, layouts_of, tensor};

pub use proptest;

/// Items for the code that [`check_gradient!`] writes, and the kinds of modules; nothing here is stable.
#[doc(hidden)]
pub mod __private {
    pub use crate::case::argument;
    pub use crate::module::{Labels, OfCell, OfForward, OfRecurrent};
}
