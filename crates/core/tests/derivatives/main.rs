//! What holds for every operation: its value is that of a naive loop, its derivatives of first and second
//! order are those of differences, and what is recorded says the same as what is not.
//!
//! `elementwise.rs` lists the pointwise operations, `structured.rs`, `moved.rs` and `arranged.rs` all
//! others, a line each: name, arguments and their domain, the operation, the naive loop. A new operation
//! gets its line there and needs nothing else; `catalogue.rs` fails until it has one. `registry.rs` goes
//! through the registry of operations: each is built again from what the tape says, and the fast ways agree
//! with the plain sweep.

mod arranged;
mod catalogue;
mod check;
mod draw;
mod edges;
mod elementwise;
mod facts;
mod higher;
mod history;
mod moved;
mod registry;
mod rows;
mod shared;
mod special;
mod structured;
mod trial;

/// The lines of all operations that are not pointwise.
fn lines() -> impl Iterator<Item = trial::Line> {
    [structured::operations(), moved::operations(), arranged::operations()].into_iter().flatten()
}
