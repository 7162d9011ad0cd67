//! Recurrent layers: any cell, run over sequences.
//!
//! `runner.rs` is the runner, `builder.rs` makes it; `rnn.rs`, `lstm.rs` and `gru.rs` are our cells, each with its
//! formula, its arguments and the name of the runner over it. A new cell is one file like them.

mod builder;
mod gru;
mod lstm;
mod rnn;
mod runner;
mod weights;

pub use builder::{CellFactory, RecurrentBuilder};
pub use gru::{Gru, GruCell, GruFactory};
pub use lstm::{Lstm, LstmCell, LstmFactory};
pub use rnn::{Nonlinearity, Rnn, RnnCell, RnnFactory};
pub use runner::Recurrent;
