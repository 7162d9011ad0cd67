//! Tables of calls for which there is no memory.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_core::{Error, Result};

/// A call for whose result there is no memory, by the name in its error.
pub type Case<'c, R> = (&'c str, &'c dyn Fn() -> Result<R>);

/// Fails with the names of all that were not refused by an error, and what they did instead.
pub fn all_refused<R>(cases: &[Case<'_, R>]) {
    let did = |&(operation, call): &Case<'_, R>| match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Err(Error::Memory { operation: by, .. })) if by == operation => None,
        Ok(result) => Some(format!("{operation}: {:?}", result.map(drop))),
        Err(_) => Some(format!("{operation}: panicked")),
    };
    let wrong: Vec<String> = cases.iter().filter_map(did).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
