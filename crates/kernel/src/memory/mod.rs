//! Memory, what of it may be read, and by whom it may be written.

pub mod block;
pub mod buffer;
pub mod cut;
pub mod dims;
pub mod layout;
mod pages;
pub mod prefetch;
pub mod refusal;
pub mod region;
pub mod shared;
pub mod static_ref;
pub mod takeable;
pub mod view;
