//! What watches and keeps a training run, as pieces for a loop of one's own.

#![forbid(unsafe_code)]

mod curve;
mod early_stopping;
mod metrics;
mod mode;
mod state;

pub use curve::Curve;
pub use early_stopping::EarlyStopping;
pub use metrics::{
    Accuracy, All, Average, BitsPerCharacter, ConfusionMatrix, Counts, ErrorRate, F1, Lengths, Mae, Mape,
    Mean, Metric, Perplexity, Precision, R2, Recall, Rmse,
};
pub use mode::Mode;
