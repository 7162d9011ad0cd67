//! What everything else rests on: errors, extents and axes, the modes that a thread computes in, the lines
//! of callers, the scopes of modules.

pub(crate) mod dims;
pub(crate) mod error;
pub(crate) mod line;
pub(crate) mod message;
pub(crate) mod mode;
pub(crate) mod refusal;
pub(crate) mod scope;
pub(crate) mod table;
