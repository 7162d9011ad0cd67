//! The workloads that speed is measured on, and how it is measured. The programs are `src/main.rs` and
//! `src/bin`.

pub mod cells;
pub mod memory;
pub mod threads;
pub mod timing;
pub mod workloads;
