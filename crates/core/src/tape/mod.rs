//! The tape: what was computed, in the order it was computed, and the walk back through it.
//!
//! A recorded operation is a [`Node`](node::Node): its inputs' edges, its rule, the values its rule needs. The tape
//! is no list but an order: each node has a number above those of its inputs, so going through
//! the reachable nodes from the highest number down visits each after all that used it. What no handle
//! reaches any more is freed at once. The table of cotangents belongs to the walk.

pub(crate) mod accumulate;
pub(crate) mod anomaly;
pub(crate) mod capture;
mod changing;
mod grad;
pub(crate) mod keep;
pub(crate) mod late;
mod leaf;
mod leaves;
mod listing;
pub(crate) mod mode;
pub(crate) mod node;
mod plain;
pub(crate) mod queue;
mod reachable;
pub(crate) mod recycle;
pub(crate) mod scope;
mod table;
mod targets;
pub(crate) mod visit;
pub(crate) mod walk;

pub use anomaly::detect_anomaly;
pub(crate) use changing::Changing;
pub(crate) use grad::backward_into;
pub use grad::{GradOptions, backward, grad};
pub use leaf::HookId;
pub(crate) use leaf::{Held, Hook, Leaf, Slot};
pub use listing::{Tape, TapeEntry};
pub(crate) use mode::by_rule;
pub use mode::{is_plain, is_recording, no_grad, with_plain, with_recording};
pub use node::{live_nodes, recorded_nodes};
pub use recycle::Recycler;
pub use scope::scope;
