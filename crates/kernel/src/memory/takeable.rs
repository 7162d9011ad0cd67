//! A value that one of several threads may take, once.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU8, Ordering};

const EMPTY: u8 = 0;
const FULL: u8 = 1;
/// Being cloned.
const BUSY: u8 = 2;

/// A value that may be lent for good: to take it is one atomic update, and who finds it being cloned waits
/// in a loop. It is worked with where it lies, since moving what was just written is slow.
pub struct Takeable<V> {
    state: AtomicU8,
    value: UnsafeCell<V>,
}

// SAFETY: the value is reached by one thread at a time: the one that brought the state away from `FULL`.
unsafe impl<V: Send> Sync for Takeable<V> {}

/// The value may be taken again, also when unwinding.
struct Refill<'s>(&'s AtomicU8);

impl Drop for Refill<'_> {
    fn drop(&mut self) {
        self.0.store(FULL, Ordering::Release);
    }
}

impl<V> Takeable<V> {
    /// A value that cannot be taken yet.
    pub const fn empty(value: V) -> Self {
        Takeable { state: AtomicU8::new(EMPTY), value: UnsafeCell::new(value) }
    }

    /// The value, to be made what may be taken from now on.
    #[inline]
    pub fn fill(&mut self) -> &mut V {
        *self.state.get_mut() = FULL;
        self.value.get_mut()
    }

    /// The value, which cannot be taken from now on.
    #[inline]
    pub fn empty_out(&mut self) -> &mut V {
        *self.state.get_mut() = EMPTY;
        self.value.get_mut()
    }

    /// Moves the state from `FULL` to another one; false if there is nothing to take.
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

    /// The value, which nobody else will get.
    #[inline]
    #[allow(clippy::mut_from_ref, reason = "the state lets one caller have it")]
    pub fn take(&self) -> Option<&mut V> {
        if !self.leave_full(EMPTY) {
            return None;
        }
        // SAFETY: the state was `FULL` and this call made it `EMPTY`: no other reaches the value until `fill`
        // or `empty_out`, which have the only handle and so come after the end of this borrow.
        Some(unsafe { &mut *self.value.get() })
    }

    /// A clone of the value, which can still be taken.
    pub fn cloned(&self) -> Option<V>
    where
        V: Clone,
    {
        self.look(V::clone)
    }

    /// Calls `f` with the value, which can still be taken; none if there is nothing to take.
    pub fn look<R>(&self, f: impl FnOnce(&V) -> R) -> Option<R> {
        if !self.leave_full(BUSY) {
            return None;
        }
        let _refill = Refill(&self.state);
        // SAFETY: while the state is `BUSY` nobody else touches the value.
        Some(f(unsafe { &*self.value.get() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_many_threads_takes_what_all_may_clone() {
        let mut takeable = Takeable::empty(vec![]);
        assert!(takeable.take().is_none() && takeable.cloned().is_none());
        takeable.fill().extend([1, 2, 3]);
        let (takeable, taken) = (&takeable, &AtomicU8::new(0));
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(move || {
                    assert!(takeable.cloned().is_none_or(|value| value == [1, 2, 3]));
                    if let Some(value) = takeable.take() {
                        value.clear();
                        taken.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(taken.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_only_handle_fills_and_empties_without_waiting() {
        let mut takeable = Takeable::empty(5);
        *takeable.fill() = 6;
        assert_eq!((takeable.cloned(), *takeable.empty_out()), (Some(6), 6));
        assert!(takeable.take().is_none());
    }
}
