//! The line that called a library, where a closure in it hides that line.
//!
//! `#[track_caller]` goes through functions and ends at a closure: what is called in one has the library's
//! own line. So a function that puts its work into closures says who called it ([`called`]); what is then
//! recorded or refused at a line of the library is at that one. Lines of users' code, as in the step of a
//! cell of theirs, stay as they are.

use std::cell::Cell;
use std::panic::Location;

/// A line of source.
pub(crate) type Line = &'static Location<'static>;

/// The folders of a library's sources, as the compiler names them: in the library, and in what is compiled of
/// it elsewhere, such as generic functions.
#[derive(Debug)]
pub struct Sources {
    own: &'static str,
    package: &'static str,
}

impl Sources {
    /// The folders of a package, of which one `file` is `below` them.
    #[doc(hidden)]
    pub const fn of(package: &'static str, file: &'static str, below: &'static str) -> Self {
        Sources { own: file.split_at(file.len() - below.len()).0, package }
    }

    #[inline]
    fn have(&self, file: &str) -> bool {
        let folder = |rest: &str| rest.get(1..4) == Some("src");
        file.starts_with(self.own) || file.strip_prefix(self.package).is_some_and(folder)
    }
}

static OWN: Sources = Sources::of(env!("CARGO_MANIFEST_DIR"), file!(), "base/line.rs");

#[derive(Clone, Copy)]
struct Call {
    line: Line,
    library: &'static Sources,
}

impl Call {
    #[inline(never)]
    fn hides(&self, line: Line) -> bool {
        self.library.have(line.file()) || OWN.have(line.file())
    }
}

thread_local!(static CALL: Cell<Option<Call>> = const { Cell::new(None) });

/// A call into a library, from now on until it is dropped.
#[must_use]
pub struct Called {
    outer: Option<Call>,
}

impl Drop for Called {
    #[inline]
    fn drop(&mut self) {
        CALL.set(self.outer);
    }
}

/// Has what is recorded or refused at lines of `library` be at the caller's, unless that is one of its own
/// lines: then it is inside a call already.
#[inline]
#[track_caller]
pub fn called(library: &'static Sources) -> Called {
    let (line, outer) = (Location::caller(), CALL.get());
    if !outer.is_some_and(|outer| outer.hides(line)) {
        CALL.set(Some(Call { line, library }));
    }
    Called { outer }
}

/// [`called`] for this library.
#[inline]
#[track_caller]
pub(crate) fn called_here() -> Called {
    called(&OWN)
}

/// The line of the caller, or of who called the library that it is in.
#[inline]
#[track_caller]
pub(crate) fn callers() -> Line {
    let line = Location::caller();
    match CALL.get() {
        Some(call) if call.hides(line) => call.line,
        _ => line,
    }
}

/// Whether the caller is a library whose caller is known.
#[track_caller]
pub(crate) fn is_hidden() -> bool {
    CALL.get().is_some_and(|call| call.hides(Location::caller()))
}

#[cfg(test)]
mod tests {
    use super::*;

    static ELSEWHERE: Sources =
        Sources::of("/packages/other-1.0.0", "/packages/other-1.0.0/src/a/b.rs", "a/b.rs");

    #[test]
    fn sources_are_told_by_their_folders() {
        assert!(OWN.have(file!()));
        assert!(OWN.have(&format!("{}/src/base/line.rs", env!("CARGO_MANIFEST_DIR"))));
        assert!(!OWN.have(&format!("{}/tests/line.rs", env!("CARGO_MANIFEST_DIR"))));
        assert!(ELSEWHERE.have("/packages/other-1.0.0/src/lib.rs"));
        assert!(!ELSEWHERE.have("/packages/other-1.0.0-rc/src/lib.rs") && !ELSEWHERE.have("src/main.rs"));
    }

    #[test]
    fn a_call_holds_until_it_is_dropped_and_the_outermost_counts() {
        assert!(!is_hidden());
        let outer = Location::caller();
        let call = called(&ELSEWHERE);
        assert!(is_hidden() && callers().line() == outer.line() + 1);
        let inner = called(&ELSEWHERE);
        assert_eq!(callers().line(), outer.line() + 1);
        drop(inner);
        assert_eq!(callers().line(), outer.line() + 1);
        drop(call);
        assert_eq!(callers().line(), line!());
    }
}
