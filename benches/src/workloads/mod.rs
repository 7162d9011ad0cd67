//! The workloads, in f32 except for the gradient checks.

mod chain;
mod custom;
mod gradients;
mod layers;
pub mod literature;
mod models;
mod optimizers;
mod sequences;

pub use models::LanguageModel;

use wengert::prelude::*;

/// Something to time.
pub struct Workload {
    /// What it is called.
    pub name: &'static str,
    /// `f` forward alone, nothing recorded; `fb` forward and backward; `step` a whole training step; else
    /// what is done.
    pub variant: &'static str,
    /// How many operations a run records, where the time of one is the figure.
    pub operations: Option<usize>,
    /// Does it once.
    pub run: Box<dyn FnMut()>,
}

impl Workload {
    fn new(name: &'static str, variant: &'static str, run: impl FnMut() + 'static) -> Self {
        Workload { name, variant, operations: None, run: Box::new(run) }
    }

    fn of_operations(mut self, operations: usize) -> Self {
        self.operations = Some(operations);
        self
    }
}

/// The names of all workloads.
pub const NAMES: [&str; 23] = [
    "S1",
    "S2",
    "S3",
    "S4",
    "S5",
    "S6",
    "S7",
    "S8a",
    "S8b",
    "S9",
    "S10a",
    "S10b",
    "gradcheck",
    "lengths",
    "steps",
    "optim",
    "peephole",
    "slstm",
    "time_gaps",
    "attention",
    "mixture",
    "hypernetwork",
    "maml",
];

/// The names that `asked` means: itself, or with a letter behind it (S8 is S8a and S8b).
///
/// # Errors
/// If there is none.
pub fn named(asked: &str) -> std::result::Result<Vec<&'static str>, String> {
    let of_group = |name: &str| name.strip_suffix(|last: char| last.is_ascii_lowercase()) == Some(asked);
    let found: Vec<_> = NAMES.into_iter().filter(|name| *name == asked || of_group(name)).collect();
    if found.is_empty() {
        Err(format!("no workload {asked}; there are {}", NAMES.join(", ")))
    } else {
        Ok(found)
    }
}

/// The variants of a workload.
///
/// # Errors
/// If there is none of that name.
pub fn of(name: &'static str) -> Result<Vec<Workload>> {
    manual_seed(0);
    Ok(match name {
        "S1" => layers::passes(name, Rnn::new(100, 200)?, [6, 5, 100]).into(),
        "S2" => layers::passes(name, Lstm::builder(50, 100).num_layers(2).build()?, [10, 3, 50]).into(),
        "S3" => layers::passes(name, Gru::new(10, 20)?, [3, 32, 10]).into(),
        "S4" => vec![models::characters(name)?],
        "S5" => vec![models::words(name)?],
        "S6" => layers::passes(name, Gru::new(64, 128)?, [1000, 16, 64]).into(),
        "S7" => layers::passes(name, Lstm::new(1024, 1024)?, [32, 64, 1024]).into(),
        "S8a" => custom::minimal_gated(name)?,
        "S8b" => custom::layer_norm_lstm(name)?,
        "S9" => vec![chain::chain(name, 10_000)],
        "S10a" => layers::passes(name, Lstm::new(200, 200)?, [20, 20, 200]).into(),
        "S10b" => layers::passes(name, Lstm::new(512, 512)?, [64, 32, 512]).into(),
        "gradcheck" => gradients::checks(name)?.into(),
        "lengths" => sequences::lengths(name)?.into(),
        "steps" => sequences::steps(name)?.into(),
        "optim" => optimizers::steps(name)?,
        name if literature::NAMES.contains(&name) => vec![literature::of(name, true)?.step()?],
        _ => return Err(Error::argument("wengert-bench", "the workload", format!("one of {NAMES:?}"), name)),
    })
}
