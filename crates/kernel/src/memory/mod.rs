//! Memory, what of it may be read, and by whom it may be written.

pub mod buffer;
pub mod cut;
pub mod dims;
mod pages;
pub mod prefetch;
pub mod refusal;
pub mod region;
pub mod shared;
pub mod static_ref;
pub mod takeable;
pub mod view;
