//! Memory that the allocator refuses: an error where the function returns one, elsewhere a panic with its message.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::dims::{checked_count, too_many};
use crate::error::{Error, Result};

thread_local! {
    /// How many functions on this thread's stack make an error of what is refused.
    static ANSWERABLE: Cell<usize> = const { Cell::new(0) };
}

/// What unwinds to the innermost of them.
struct Refused(Error);

/// Runs what allocates as deep inside as it may; what is refused there is `operation`'s error.
///
/// A refusal unwinds to here, so that no operation on the way has to hand it on. Other panics pass.
#[doc(hidden)]
pub fn or_refused<R>(operation: &'static str, work: impl FnOnce() -> Result<R>) -> Result<R> {
    ANSWERABLE.set(ANSWERABLE.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(work));
    ANSWERABLE.set(ANSWERABLE.get() - 1);
    result.unwrap_or_else(|payload| Err(renamed(operation, payload)))
}

/// The error that came up, under another name.
fn renamed(to: &'static str, payload: Box<dyn Any + Send>) -> Error {
    match payload.downcast::<Refused>().map(|refused| refused.0) {
        Ok(Error::Memory { shape, bytes, .. }) => Error::Memory { operation: to, shape, bytes },
        Ok(Error::Shape { expected, got, .. }) => Error::Shape { operation: to, expected, got },
        Ok(error) => error,
        Err(payload) => resume_unwind(payload),
    }
}

/// Why there is no tensor of this shape: it has too many elements, or the allocator refused.
#[cold]
pub(crate) fn refusal<T>(operation: &'static str, shape: &[usize]) -> Error {
    match checked_count(shape) {
        None => too_many(operation, shape),
        Some(count) => {
            let bytes = count.saturating_mul(size_of::<T>());
            Error::Memory { operation, shape: format!("{shape:?}"), bytes }
        }
    }
}

/// Gives up on a tensor of this shape.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn refuse<T>(shape: &[usize]) -> ! {
    let error = refusal::<T>("tensor", shape);
    if cfg!(panic = "unwind") && ANSWERABLE.get() > 0 {
        resume_unwind(Box::new(Refused(error)));
    }
    panic!("{error}")
}

/// An empty vector with room for so many.
#[track_caller]
pub(crate) fn vec_of<V>(len: usize) -> Vec<V> {
    let mut vec = Vec::new();
    if vec.try_reserve_exact(len).is_err() {
        refuse::<V>(&[len]);
    }
    vec
}

/// So many of one value.
#[doc(hidden)]
#[track_caller]
pub fn filled<V: Clone>(value: V, len: usize) -> Vec<V> {
    let mut vec = vec_of(len);
    vec.resize(len, value);
    vec
}
