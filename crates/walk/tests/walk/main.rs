//! What walks are, and what programs of the language are, from outside.

mod answers;
mod language;
mod mistakes;
mod sums;
