//! Optimizers, learning rate schedules and gradient clipping, with PyTorch's update rules and defaults.
//!
//! An optimizer is its [`options!`] and a [`Rule`], the update of one parameter in one pass;
//! [`RuleOptimizer`] does the rest for all of them: groups, states, skipping, saving. A new optimizer is
//! one file.
//!
//! ```
//! use wengert_core::{Parameter, Tensor};
//! use wengert_optim::{Optimizer, Sgd};
//! let w = Parameter::new(Tensor::from([1.0f32, 2.0]));
//! let mut sgd = Sgd::new([w.clone()], 0.1)?;
//! w.square().sum().backward()?;
//! sgd.step()?;
//! assert_eq!(w.to_vec(), vec![0.8, 1.6]);
//! # Ok::<(), wengert_core::Error>(())
//! ```
//!
//! # Gradient accumulation
//!
//! A backward adds to the gradients until [`zero_grad`](Optimizer::zero_grad), so a batch that does not fit
//! into memory goes through in parts, with one step for all of them. A part's mean loss counts by its share
//! of the samples of its own group: so the last group, of fewer or smaller parts, is right too.
//!
//! ```
//! use wengert_core::{Parameter, Tensor};
//! use wengert_optim::{Optimizer, Sgd, clip_grad_norm};
//! # let data = Tensor::from([0.5f64, -1.0, 2.0, 0.25, 3.0, -0.5, 1.5]);
//! let loss = |w: &Parameter<f64>, x: &Tensor<f64>| (&**w * x - 1.0).square().mean();
//! let w = Parameter::new(Tensor::from([1.0]));
//! let mut sgd = Sgd::new([w.clone()], 0.1)?;
//! let parts = [data.narrow(0, 0, 2)?, data.narrow(0, 2, 2)?, data.narrow(0, 4, 2)?, data.narrow(0, 6, 1)?];
//! for group in parts.chunks(3) {
//!     let samples: usize = group.iter().map(|part| part.shape()[0]).sum();
//!     for part in group {
//!         let share = part.shape()[0] as f64 / samples as f64;
//!         (loss(&w, part) * share).backward()?;
//!     }
//!     clip_grad_norm(&sgd.parameters(), 10.0)?;
//!     sgd.step()?;
//!     sgd.zero_grad();
//! }
//! # let whole = Parameter::new(Tensor::from([1.0]));
//! # let mut sgd = Sgd::new([whole.clone()], 0.1)?;
//! # for batch in [data.narrow(0, 0, 6)?, data.narrow(0, 6, 1)?] {
//! #     loss(&whole, &batch).backward()?;
//! #     sgd.step()?;
//! #     sgd.zero_grad();
//! # }
//! # assert!((w.item()? - whole.item()?).abs() < 1e-12 && w.item()? != 1.0);
//! # Ok::<(), wengert_core::Error>(())
//! ```
//!
//! A schedule and an [`Averaged`] count these steps, not the parts.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod asgd;
mod averaged;
mod clip;
mod groups;
mod lbfgs;
mod lion;
mod muon;
mod nadam;
mod optimizer;
mod options;
mod penalty;
mod projection;
mod radam;
mod rmsprop;
mod rprop;
mod rule;
mod rule_optimizer;
pub mod schedule;
mod sgd;
mod state_dict;

pub use adadelta::{Adadelta, AdadeltaOptions};
pub use adagrad::{Adagrad, AdagradOptions};
pub use adam::{Adam, AdamOptions, AdamW, AdamWOptions};
pub use adamax::{Adamax, AdamaxOptions};
pub use asgd::{Asgd, AsgdOptions};
pub use averaged::Averaged;
pub use clip::{ClipGradNorm, clip_grad_norm, clip_grad_value};
pub use groups::Groups;
pub use lbfgs::{Lbfgs, LbfgsOptions};
pub use lion::{Lion, LionOptions};
pub use muon::{Muon, MuonOptions};
pub use nadam::{NAdam, NAdamOptions};
pub use optimizer::Optimizer;
pub use options::Options;
pub use penalty::Penalty;
pub use projection::Projection;
pub use radam::{RAdam, RAdamOptions};
pub use rmsprop::{RmsProp, RmsPropOptions};
pub use rprop::{Rprop, RpropOptions};
pub use rule::{Rule, Update};
pub use rule_optimizer::{Group, RuleOptimizer};
pub use sgd::{Sgd, SgdOptions};

/// Items for the code that [`options!`] writes; nothing here is stable.
#[doc(hidden)]
pub mod __private {
    pub use crate::options::{OptionValue, option, range, unknown_option};
    pub use wengert_core::Result;
}

/// The README's example, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
