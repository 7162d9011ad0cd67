//! A recorded backward as a walk: every value, every cotangent and every sum of it as data, computed by the
//! library's own rules; and small [`Script`]s, read at run time, that record one.
//!
//! ```
//! use wengert_core::{Tape, Tensor, Variable, record};
//! use wengert_walk::Scene;
//! let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
//! let tape = Tape::of(&record(|| x.square().sum()));
//! let scene = Scene::of::<f64>(&tape)?;
//! assert_eq!(scene.lines[0].outputs[0].grad.as_ref().unwrap().norm.0, 20f64.sqrt());
//! # Ok::<(), wengert_core::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod answer;
mod backward;
mod build;
mod check;
mod limits;
mod scene;
mod script;
mod value;

pub use answer::answer;
pub use build::SceneOptions;
pub use scene::{
    Check, CheckRow, Drawing, Drawings, Event, Give, Ref, Scene, SceneInput, SceneLine, SceneOutput, Wait,
};
pub use script::{Script, ScriptError};
pub use value::{Heat, JsonNumber, Value};

/// The README's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
