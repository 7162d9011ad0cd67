//! Calls of this crate, at whose lines is what its closures record or refuse.

use wengert_core::__private::{Called, Sources, or_refused};
use wengert_core::Result;

static SOURCES: Sources = Sources::of(env!("CARGO_MANIFEST_DIR"), file!(), "line.rs");

/// A call of a function of this crate, from now on until it is dropped: the first line of one that puts
/// operations into closures.
#[inline]
#[track_caller]
pub(crate) fn called() -> Called {
    wengert_core::__private::called(&SOURCES)
}

/// Runs what a function of this crate computes, at its caller's line; what the allocator refuses there is an
/// error of `operation`.
#[inline]
#[track_caller]
pub(crate) fn answered<R>(operation: &'static str, work: impl FnOnce() -> Result<R>) -> Result<R> {
    let _call = called();
    or_refused(operation, work)
}
