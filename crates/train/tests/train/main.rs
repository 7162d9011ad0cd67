//! The pieces of a run against naive references, processes that die, disks that are full, and what they refuse.

#[cfg(unix)]
mod died;
mod early_stopping;
mod log;
mod metrics;
mod refusals;
mod resumed;
mod retention;
