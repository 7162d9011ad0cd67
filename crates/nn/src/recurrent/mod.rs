//! Recurrent layers: any cell, run over sequences.
//!
//! `runner.rs` is the runner over layers, `pass.rs` a sequence's way through them, `sweep.rs` a cell over
//! time, `builder.rs` and `options.rs` make them; `again.rs` computes again what was not kept. `rnn.rs`,
//! `lstm.rs` and `gru.rs` are our cells, each with its formula, its arguments and the name of the runner
//! over it. A new cell is one file like them.

mod again;
mod builder;
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
mod stepper;
mod sweep;
mod truncated;
mod weights;

pub use builder::{CellFactory, RecurrentBuilder};
pub use gru::{Gru, GruCell, GruFactory};
pub use layers::{Layers, OutputAndStates, Swept};
pub use learned::{LearnedFactory, LearnedState};
pub use lstm::{Lstm, LstmCell, LstmFactory};
pub use masked::Valid;
pub use options::{Checkpointing, Merge};
pub use rnn::{Nonlinearity, Rnn, RnnCell, RnnFactory};
pub use runner::Recurrent;
pub use stack::Stack;
pub use stepper::Stepper;
pub use truncated::Truncated;
