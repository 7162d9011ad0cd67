//! With which instructions, and on how many threads, a loop runs.

pub mod divide;
pub mod level;
pub mod panics;
pub mod team;
