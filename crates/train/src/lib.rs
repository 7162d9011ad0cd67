//! What watches and keeps a training run, as pieces for a loop of one's own: metrics, early stopping,
//! checkpoints, a log, and behind features a progress bar (`progress`), plots (`plots`), event files
//! (`tensorboard`) and interrupts (`ctrlc`).
//!
//! Each is a value with a method or two; none owns the loop or knows the others. What has a state is
//! [`Stateful`](wengert_core::Stateful), and [`Kept`] brings all of it into one file, from which a run
//! goes on bit for bit.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "safetensors")]
mod checkpoints;
mod csv_log;
mod curve;
mod early_stopping;
mod kept;
mod metrics;
mod mode;
mod norms;
#[cfg(feature = "plots")]
mod plots;
#[cfg(feature = "progress")]
mod progress;
mod state;
mod stop;
#[cfg(feature = "tensorboard")]
mod tensorboard;

#[cfg(feature = "safetensors")]
pub use checkpoints::{CheckpointFile, Checkpoints};
pub use csv_log::CsvLog;
pub use curve::Curve;
pub use early_stopping::EarlyStopping;
pub use kept::Kept;
pub use metrics::{
    Accuracy, All, Average, BitsPerCharacter, ConfusionMatrix, Counts, ErrorRate, F1, Lengths, Mae, Mape,
    Mean, Metric, Perplexity, Precision, R2, Recall, Rmse,
};
pub use mode::Mode;
pub use norms::{norms_by_parameter, norms_by_step};
#[cfg(feature = "plots")]
pub use plots::{BarPlot, CurvePlot, HeatMapPlot};
#[cfg(feature = "progress")]
pub use progress::{Progress, ProgressOver};
pub use stop::{Stop, UntilStop};
#[cfg(feature = "tensorboard")]
pub use tensorboard::EventFile;

/// The README's example, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
