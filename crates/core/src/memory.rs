//! Memory that the allocator refuses: an error where the function returns one, elsewhere a panic with its message.

use std::any::Any;
use std::panic::resume_unwind;

use wengert_kernel::memory::refusal::{OutOfMemory, answered, is_answered};

use crate::dims::{Dims, checked_count, too_many};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::pool;

/// What unwinds to the innermost function that makes an error of what is refused.
struct Refused(Error);

/// Runs what allocates as deep inside as it may; what is refused there is `operation`'s error.
///
/// A refusal unwinds to here, so that no operation on the way has to hand it on. Other panics pass.
#[doc(hidden)]
pub fn or_refused<R>(operation: &'static str, work: impl FnOnce() -> Result<R>) -> Result<R> {
    answered(work).unwrap_or_else(|payload| Err(renamed(operation, payload)))
}

/// The error that came up, under another name.
fn renamed(to: &'static str, payload: Box<dyn Any + Send>) -> Error {
    match payload.downcast::<Refused>().map(|refused| refused.0) {
        Ok(Error::Memory { shape, bytes, .. }) => Error::Memory { operation: to, shape, bytes },
        Ok(Error::Extents { shape, .. }) => Error::Extents { operation: to, shape },
        Ok(error) => error,
        Err(payload) => match payload.downcast::<OutOfMemory>() {
            Ok(refused) => {
                let OutOfMemory { elements, bytes } = *refused;
                Error::Memory { operation: to, shape: format!("[{elements}]"), bytes }
            }
            Err(payload) => resume_unwind(payload),
        },
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
    give_up(refusal::<T>("tensor", shape))
}

/// Panics with the message of an error. If there is no memory for so much, it unwinds to the function that has an error of that.
#[cold]
#[track_caller]
pub(crate) fn give_up(error: Error) -> ! {
    let refused = matches!(error, Error::Memory { .. } | Error::Extents { .. });
    if refused && is_answered() {
        resume_unwind(Box::new(Refused(error)));
    }
    panic!("{error}")
}

/// From how many bytes on it is looked beforehand whether there are so many.
const LARGE: usize = 1 << 20;

/// Makes sure that there is memory for a result of `operation`, if it is large.
///
/// For functions that record an operation of their caller's line, which [`or_refused`] would hide. The memory waits in the pool.
///
/// # Errors
/// If there is none.
#[doc(hidden)]
pub fn room_for<T: Element>(operation: &'static str, shape: &[usize]) -> Result<()> {
    if checked_count(shape).is_some_and(|count| count.saturating_mul(size_of::<T>()) < LARGE) {
        return Ok(());
    }
    match pool::try_acquire::<T>(&Dims::from(shape)) {
        Some(room) => {
            pool::release(room);
            Ok(())
        }
        None => Err(refusal::<T>(operation, shape)),
    }
}

/// An empty vector with room for so many.
#[doc(hidden)]
#[track_caller]
pub fn vec_of<V>(len: usize) -> Vec<V> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_was_looked_for_waits_for_the_result() {
        std::thread::spawn(|| {
            room_for::<f32>("result", &[LARGE]).unwrap();
            let waiting = pool::pool_bytes();
            assert!(waiting >= 4 * LARGE);
            let result = crate::Tensor::<f32>::zeros([LARGE]);
            assert_eq!(pool::pool_bytes(), 0);
            drop(result);
            assert_eq!(pool::pool_bytes(), waiting);
        })
        .join()
        .unwrap();
    }
}
