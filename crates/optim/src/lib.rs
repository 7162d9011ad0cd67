//! Optimizers and gradient clipping, with PyTorch's update rules and defaults.
//!
//! An optimizer is a [`Rule`], a struct of its options with the update of one parameter in one pass;
//! [`Stepper`] does the rest for all of them: groups, states, skipping, saving. A new optimizer is one file.
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

#![forbid(unsafe_code)]

mod adam;
mod clip;
mod rmsprop;
mod rule;
mod sgd;
mod state_dict;
mod stepper;

pub use adam::{Adam, AdamOptions, AdamW, AdamWOptions};
pub use clip::{clip_grad_norm, clip_grad_norm_with, clip_grad_value};
pub use rmsprop::{RmsProp, RmsPropOptions};
pub use rule::{OptionMut, Rule, Update};
pub use sgd::{Sgd, SgdOptions};
pub use stepper::{Group, Optimizer, Stepper};
