//! What is recorded: variables, and the nodes that remember how they were computed.
//!
//! A recorded operation is a [`Node`](node::Node): its inputs' edges, its [`Rule`](rule::Rule), the values
//! that the rule needs. The tape is no list but an order: each node has a number above those of its inputs,
//! so going through the reachable nodes from the highest number down visits each after all that used it.
//! What no handle reaches any more is freed at once. The types of this folder name each other, for a
//! variable has an edge to a node, whose rule takes variables; the cotangents belong to the sweep, in
//! `backward/`.

pub(crate) mod anomaly;
mod as_variable;
mod attributes;
pub(crate) mod capture;
mod changing;
mod display;
mod first_order;
pub(crate) mod float;
mod gradient;
pub(crate) mod gradients;
mod keep;
pub(crate) mod leaf;
pub(crate) mod node;
mod operation;
mod parameter;
pub(crate) mod program;
pub(crate) mod record;
pub(crate) mod recorded;
pub(crate) mod recycle;
pub(crate) mod rule;
mod saved;
pub(crate) mod term;
mod variable;

pub use anomaly::detect_anomaly;
pub use as_variable::AsVariable;
pub use attributes::{Attribute, Attributes};
pub use first_order::{FirstOrder, SavedTensors};
pub use float::Float;
pub use gradients::Gradients;
pub use leaf::HookId;
pub use node::{live_nodes, recorded_nodes};
pub use operation::{Operation, Outputs, Saves, Wants};
pub use parameter::Parameter;
pub use program::Program;
pub use recorded::record;
pub use saved::{Cotangents, Saved};
pub use variable::Variable;
pub(crate) use variable::{Peek, look_at};
