//! Checkpoints that come to harm: damaged files, and processes that die while they save.
//!
//! `WENGERT_DEEP_CASES=1000000 cargo test --release -p wengert --test checkpoints` tries so many damaged
//! files in place of a few thousand, and kills a process for each thousand of them.

mod damaged;
mod killed;

/// How many cases were asked for, beyond those of every run.
fn deep_cases() -> Option<usize> {
    let cases = std::env::var("WENGERT_DEEP_CASES").ok()?;
    Some(cases.parse().expect("WENGERT_DEEP_CASES is a number"))
}
