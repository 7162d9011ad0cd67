//! A value that is put in once and taken out once, by any of several threads.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU8, Ordering};

const EMPTY: u8 = 0;
const FULL: u8 = 1;
/// Being cloned.
const BUSY: u8 = 2;

/// Like a `Mutex<Option<V>>`; to take the value is one atomic update, and who finds it being cloned waits in a loop.
pub(crate) struct Takeable<V> {
    state: AtomicU8,
    value: UnsafeCell<Option<V>>,
}

// SAFETY: the value is read or moved by one thread at a time: the one that brought the state away from `FULL`.
unsafe impl<V: Send> Sync for Takeable<V> {}

/// The value is there again, also when unwinding.
struct Refill<'s>(&'s AtomicU8);

impl Drop for Refill<'_> {
    fn drop(&mut self) {
        self.0.store(FULL, Ordering::Release);
    }
}

impl<V> Takeable<V> {
    pub(crate) const fn empty() -> Self {
        Takeable { state: AtomicU8::new(EMPTY), value: UnsafeCell::new(None) }
    }

    /// Puts a value in, in the place of one that may be there.
    #[inline]
    pub(crate) fn put(&mut self, value: V) {
        *self.value.get_mut() = Some(value);
        *self.state.get_mut() = FULL;
    }

    /// Moves the state from `FULL` to another one; false if there is no value.
    #[inline]
    fn leave_full(&self, to: u8) -> bool {
        loop {
            match self.state.compare_exchange(FULL, to, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(EMPTY) => return false,
                Err(_) => std::thread::yield_now(),
            }
        }
    }

    /// The value, which is gone then.
    #[inline]
    pub(crate) fn take(&self) -> Option<V> {
        if !self.leave_full(EMPTY) {
            return None;
        }
        // SAFETY: the state was `FULL` and this call made it `EMPTY`: no other will touch the value until `put`, which
        // has the only handle.
        unsafe { (*self.value.get()).take() }
    }

    /// [`Takeable::take`] by the only handle.
    #[inline]
    pub(crate) fn take_mut(&mut self) -> Option<V> {
        *self.state.get_mut() = EMPTY;
        self.value.get_mut().take()
    }

    /// A clone of the value, which stays.
    pub(crate) fn cloned(&self) -> Option<V>
    where
        V: Clone,
    {
        if !self.leave_full(BUSY) {
            return None;
        }
        let _refill = Refill(&self.state);
        // SAFETY: while the state is `BUSY` nobody else touches the value.
        unsafe { (*self.value.get()).clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_many_threads_takes_what_all_may_clone() {
        let mut takeable = Takeable::empty();
        assert!(takeable.take().is_none() && takeable.cloned().is_none());
        takeable.put(vec![1, 2, 3]);
        let (takeable, taken) = (&takeable, &AtomicU8::new(0));
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(move || {
                    assert!(takeable.cloned().is_none_or(|value| value == [1, 2, 3]));
                    taken.fetch_add(u8::from(takeable.take().is_some()), Ordering::Relaxed);
                });
            }
        });
        assert_eq!(taken.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_only_handle_takes_without_waiting() {
        let mut takeable = Takeable::empty();
        takeable.put(5);
        takeable.put(6);
        assert_eq!((takeable.take_mut(), takeable.take_mut()), (Some(6), None));
    }
}
