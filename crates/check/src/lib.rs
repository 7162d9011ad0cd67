#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! - [`Gradcheck`], [`gradcheck`], [`gradgradcheck`], [`gradcheck_module`]: one function or module at one point.
//! - [`Failure`]: what is wrong, where, and by how much.
//! - [`check_gradient!`](crate::check_gradient!), [`Property`]: at all points that strategies draw.
//! - [`tensor`](tensor()), [`layouts_of`], [`shapes`](shapes()), [`broadcast_shapes`], [`recurrent`](recurrent()), [`randomized`]: strategies;
//!   [`draws`] makes more, from a [`Draw`].
//! - [`Program`], [`programs`](programs()), [`check_programs`]: whole programs over the registry of operations, run by the fast ways of the tape and
//!   plainly.

mod analytical;
mod difference;
mod draw;
mod failure;
mod gradcheck;
mod matrix;
mod module;
mod outputs;
mod program;
mod property;
mod recurrent;
mod shapes;
mod shrink;
mod subject;
mod tensors;

pub use draw::{Draw, Drawable, Drawn, draws};
pub use failure::{Failure, Mismatch, Place};
pub use gradcheck::{Gradcheck, gradcheck, gradgradcheck};
pub use matrix::Matrix;
pub use module::{Call, gradcheck_module, gradgradcheck_module};
#[doc(hidden)]
pub use module::{Labels, OfCell, OfForward, OfRecurrent};
pub use outputs::IntoOutputs;
pub use program::{Digest, Program, Tally, check_programs, programs};
#[doc(hidden)]
pub use property::argument;
pub use property::{Case, Property};
pub use recurrent::{Form, RecurrentConfig, randomized, recurrent};
pub use shapes::{Extent, Shape, broadcast_shapes, broadcasts_to, shapes};
pub use shrink::Shrinking;
pub use tensors::{TensorStrategy, layouts_of, tensor};

pub use proptest;
