//! Room for what is computed, looked for beforehand or refused.

use std::collections::{HashMap, TryReserveError};
use std::hash::Hash;

use crate::base::dims::{Dims, checked_count, too_many};
use crate::base::error::{Error, Result};
use crate::base::refusal::give_up;
use crate::tensor::{Element, pool};

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

/// From how many bytes on it is looked beforehand whether there are so many.
const LARGE: usize = 1 << 20;

/// Makes sure that there is memory for a result of `operation`, if it is large.
///
/// For functions that record an operation of their caller's line, which unwinding to an error would hide.
/// The memory waits in the pool.
///
/// # Errors
/// If there is no such memory, or the shape has more elements than can be counted.
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

/// An empty vector with room for `len` values.
#[doc(hidden)]
#[track_caller]
pub fn vec_of<V>(len: usize) -> Vec<V> {
    let mut vec = Vec::new();
    or_refuse::<V>(vec.try_reserve_exact(len), len);
    vec
}

/// Gives up if there was no room for `len` values.
#[inline]
#[track_caller]
fn or_refuse<V>(room: std::result::Result<(), TryReserveError>, len: usize) {
    if room.is_err() {
        refuse::<V>(&[len]);
    }
}

/// Makes room behind the values of a vector, and as it grows by itself for more than that.
#[doc(hidden)]
#[inline]
#[track_caller]
pub fn reserve<V>(vec: &mut Vec<V>, more: usize) {
    or_refuse::<V>(vec.try_reserve(more), vec.len().saturating_add(more));
}

/// Makes room beside the entries of a map.
#[doc(hidden)]
#[inline]
#[track_caller]
pub fn reserve_in<K: Eq + Hash, V>(map: &mut HashMap<K, V>, more: usize) {
    or_refuse::<(K, V)>(map.try_reserve(more), map.len().saturating_add(more));
}

/// Puts a text behind another.
#[doc(hidden)]
#[inline]
#[track_caller]
pub fn append(text: &mut String, more: &str) {
    or_refuse::<u8>(text.try_reserve(more.len()), text.len().saturating_add(more.len()));
    text.push_str(more);
}

/// A text of one's own.
#[doc(hidden)]
#[track_caller]
pub fn text_of(text: &str) -> String {
    let mut own = String::new();
    append(&mut own, text);
    own
}

/// A vector of `len` copies of one value.
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
