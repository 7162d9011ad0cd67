//! Recurrent layers: any cell, run over sequences.
//!
//! `runner.rs` is the runner over layers, `pass.rs` a sequence's way through them, `sweep.rs` a cell over
//! time, `factory.rs`, `builder.rs` and `options.rs` make them; `again.rs` computes again what was not kept.
//! `rnn.rs`, `lstm.rs` and `gru.rs` are our cells, each with its formula, its arguments and the name of the
//! runner over it; `step_fn.rs` is the cell of a closure. A new cell is one file like them.

mod again;
mod builder;
mod checks;
mod factory;
mod forms;
mod gru;
mod layers;
mod learned;
mod lstm;
mod masked;
mod options;
mod pass;
mod rnn;
mod runner;
mod stack;
mod step_fn;
mod step_fn_with;
mod stepper;
mod sweep;
mod truncated;
mod weights;

pub use builder::RecurrentBuilder;
pub use factory::{ByPlace, CellFactory, FromSizes, OfSizes, Place, cell_of_sizes};
pub use gru::{Gru, GruCell};
pub use layers::{KeepStates, Layers, OutputAndStates, Swept};
pub use learned::{LearnedFactory, LearnedState};
pub use lstm::{Lstm, LstmArguments, LstmCell};
pub use masked::Valid;
pub use options::{Checkpointing, Merge};
pub use rnn::{Nonlinearity, Rnn, RnnArguments, RnnCell};
pub use runner::Recurrent;
pub use stack::Stack;
pub use step_fn::StepFn;
pub use step_fn_with::StepFnWith;
pub use stepper::Stepper;
pub use truncated::Truncated;
pub use weights::{Bias, GateWeights, HasBias};
