//! What the allocator refuses: an error where the function returns one, elsewhere a panic with its message.
//! And what operations refuse inside a library: a panic at the line that called it.

use std::any::Any;
use std::panic::resume_unwind;

use wengert_kernel::memory::refusal::{OutOfMemory, answered, is_answered};

use crate::base::error::{Error, Result};
use crate::base::line;

/// What unwinds to the innermost function that answers for it.
struct Refused(Error);

/// Runs what allocates as deep inside as it may; what is refused there is `operation`'s error.
///
/// A refusal unwinds to here, so that no operation on the way has to hand it on. What an operation refuses at
/// a line of the library (see `line.rs`) comes up as a panic at the caller's. Other panics pass.
///
/// # Errors
/// If the allocator refuses memory, or `work` gives an error.
#[doc(hidden)]
#[track_caller]
pub fn or_refused<R>(operation: &'static str, work: impl FnOnce() -> Result<R>) -> Result<R> {
    match answered(work) {
        Ok(result) => result,
        Err(payload) => Err(renamed(operation, payload)),
    }
}

/// The error that came up, under another name.
#[track_caller]
fn renamed(to: &'static str, payload: Box<dyn Any + Send>) -> Error {
    match payload.downcast::<Refused>().map(|refused| refused.0) {
        Ok(Error::Memory { shape, bytes, .. }) => Error::Memory { operation: to, shape, bytes },
        Ok(Error::Extents { shape, .. }) => Error::Extents { operation: to, shape },
        Ok(error) => give_up(error),
        Err(payload) => match payload.downcast::<OutOfMemory>() {
            Ok(refused) => {
                let OutOfMemory { elements, bytes } = *refused;
                Error::Memory { operation: to, shape: format!("[{elements}]"), bytes }
            }
            Err(payload) => resume_unwind(payload),
        },
    }
}

/// Panics with the message of an error. If there is no memory for so much, it unwinds to the function that
/// has an error of that, and from a line that nobody knows, to the one that has the caller's.
#[cold]
#[track_caller]
pub(crate) fn give_up(error: Error) -> ! {
    let refused = matches!(error, Error::Memory { .. } | Error::Extents { .. });
    if is_answered() && (refused || line::is_hidden()) {
        resume_unwind(Box::new(Refused(error)));
    }
    panic!("{error}")
}
