//! A character model: a recurrent network learns to write text.
//!
//! ```text
//! cargo run --release --example char_rnn                         # learns the project's own sources
//! cargo run --release --example char_rnn -- --text FILE          # or any other text
//! cargo run --release --example char_rnn -- --resume FILE --sample 500 --prompt "fn main"
//! ```
//!
//! `text.rs` reads and cuts the text, `model.rs` is the network, `train.rs` the loop, `checkpoint.rs` what
//! is kept of this program's own.

mod checkpoint;
mod model;
mod text;
mod train;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use wengert::prelude::*;
use wengert::train::Stop;

/// Trains a recurrent network to predict the next character.
#[derive(Parser, Clone, Debug)]
pub struct Options {
    /// The text to learn; the project's own sources and documents if not given.
    #[arg(long)]
    pub text: Option<PathBuf>,
    /// The recurrent cell.
    #[arg(long, value_enum, default_value_t = CellKind::Lstm)]
    pub cell: CellKind,
    /// Recurrent layers on each other.
    #[arg(long, default_value_t = 2)]
    pub layers: usize,
    /// Units of a recurrent layer.
    #[arg(long, default_value_t = 128)]
    pub hidden: usize,
    /// Width of a character's vector.
    #[arg(long, default_value_t = 64)]
    pub embedding: usize,
    /// Times to go through the text [default: 10, or what a resumed run was to do].
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Stop after so many steps [default: never, or when a resumed run was to].
    #[arg(long)]
    pub steps: Option<usize>,
    /// Stop after so many minutes.
    #[arg(long, default_value_t = 5.0)]
    pub minutes: f64,
    /// Streams of text read side by side.
    #[arg(long, default_value_t = 64)]
    pub batch: usize,
    /// Characters of a stream that a gradient goes back over; the state is carried on beyond.
    #[arg(long, default_value_t = 64)]
    pub sequence: usize,
    /// Adam's learning rate [default: 0.004, or that of a resumed run].
    #[arg(long)]
    pub learning_rate: Option<f64>,
    /// The largest norm of a step's gradients.
    #[arg(long, default_value_t = 5.0)]
    pub clip: f64,
    /// Dropout between layers and before the output.
    #[arg(long, default_value_t = 0.0)]
    pub dropout: f64,
    /// The seed of everything random.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Go on from a checkpoint, with its options but those given here that are not the network's.
    #[arg(long)]
    pub resume: Option<PathBuf>,
    /// Write so many characters: at the end, or with --resume at once and without training.
    #[arg(long)]
    pub sample: Option<usize>,
    /// How freely to write: below 1 the likely is preferred.
    #[arg(long, default_value_t = 0.8)]
    pub temperature: f64,
    /// What the writing begins with.
    #[arg(long, default_value = "\n")]
    pub prompt: String,
    /// Where checkpoint and plot go.
    #[arg(long, default_value = "target/char_rnn")]
    pub output: PathBuf,
    /// No progress bar and no samples.
    #[arg(long)]
    pub quiet: bool,
}

impl Options {
    /// How many steps there are to do, where an epoch has `windows`.
    fn total(&self, windows: usize) -> usize {
        self.epochs.unwrap_or(10).saturating_mul(windows).min(self.steps.unwrap_or(usize::MAX))
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate.unwrap_or(4e-3)
    }
}

/// The recurrent cells to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CellKind {
    /// Elman's network.
    Rnn,
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent unit.
    Gru,
}

/// Trains as the options say, until done or `stop` is asked for; gives the validation loss in nats per
/// character.
pub fn run(options: &Options, stop: &Stop) -> Result<f64> {
    let saved = options.resume.as_ref().map(TensorMap::load).transpose()?;
    let options = match &saved {
        Some(saved) => checkpoint::options(options, saved)?,
        None => options.clone(),
    };
    manual_seed(options.seed);
    let (input, hidden) = (options.embedding, options.hidden);
    match options.cell {
        CellKind::Rnn => train::run(&options, saved, stop, Rnn::builder(input, hidden)),
        CellKind::Lstm => train::run(&options, saved, stop, Lstm::builder(input, hidden)),
        CellKind::Gru => train::run(&options, saved, stop, Gru::builder(input, hidden)),
    }
}

#[allow(dead_code, reason = "the tests call `run`")]
fn main() -> std::process::ExitCode {
    let stop = Stop::new().on_interrupt().unwrap_or_else(|error| {
        eprintln!("warning: an interrupt will not save: {error}");
        Stop::new()
    });
    match run(&Options::parse(), &stop) {
        Ok(_) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
