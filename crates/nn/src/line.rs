//! Calls of this crate, at whose lines is what its closures record or refuse.

use wengert_core::__private::{Called, Sources};

static SOURCES: Sources = Sources::of(env!("CARGO_MANIFEST_DIR"), file!(), "line.rs");

/// A call of a function of this crate, from now on until it is dropped: the first line of one that puts
/// operations into closures.
#[inline]
#[track_caller]
pub(crate) fn called() -> Called {
    wengert_core::__private::called(&SOURCES)
}
