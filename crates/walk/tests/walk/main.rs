//! What walks are, and what programs of the language are, from outside.

mod answers;
mod language;
#[path = "../../../core/tests/tensor/limited.rs"]
mod limited;
mod mistakes;
mod refused;
mod sums;
