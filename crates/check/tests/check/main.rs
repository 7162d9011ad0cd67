//! The checker: what it lets pass, what it catches, and how a failure reads.

mod properties;
