//! The pieces of a run against naive references, processes that die, disks that are full, and what they
//! refuse.

#[path = "../../../nn/tests/nn/all_refused.rs"]
mod all_refused;
#[path = "../../../core/src/io/replace/tests/dead.rs"]
mod dead;
#[cfg(unix)]
#[cfg_attr(not(feature = "ctrlc"), allow(dead_code, unused_imports, reason = "interrupts need the feature"))]
mod died;
mod early_stopping;
#[cfg(feature = "tensorboard")]
mod events;
#[cfg(feature = "progress")]
mod killed;
#[path = "../../../core/tests/tensor/limited.rs"]
mod limited;
mod log;
mod metrics;
#[cfg(feature = "plots")]
mod plots;
#[cfg(feature = "progress")]
mod progress;
mod refusals;
mod refused;
#[cfg(feature = "progress")]
mod resumed;
#[cfg(feature = "progress")]
mod resumed_data;
mod retention;
mod settings;
