//! Counted handles to values that are used again.
//!
//! Unlike an `Arc` there are no weak handles. So whether a handle is the only one is one load to find out,
//! and a value goes from its maker to all that share it and back to who uses it again without an atomic
//! update: on a short operation these take most of the time.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::process::abort;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// One handle in the count, and one mark: a count holds the handles in its lower half and the marks in its
/// upper one.
const HANDLE: u64 = 1;
const MARK: u64 = 1 << 32;

/// A value whose last handle hands it on.
pub trait Retire: Sized {
    /// Takes a value that nobody else has a handle to.
    fn retire(last: Unique<Self>);
}

struct Counted<V> {
    count: AtomicU64,
    value: V,
}

/// The only handle to a value, which may change it.
pub struct Unique<V> {
    counted: NonNull<Counted<V>>,
    owner: PhantomData<Counted<V>>,
}

/// One of the handles to a value.
pub struct Shared<V: Retire> {
    counted: NonNull<Counted<V>>,
    owner: PhantomData<Counted<V>>,
}

// SAFETY: a `Unique` owns its value.
unsafe impl<V: Send> Send for Unique<V> {}
// SAFETY: `&Unique` gives out `&V` alone.
unsafe impl<V: Sync> Sync for Unique<V> {}
// SAFETY: handles on several threads give out `&V`, and the last one may be dropped, or changed through, on
// any.
unsafe impl<V: Retire + Send + Sync> Send for Shared<V> {}
// SAFETY: as above, since `&Shared` can be cloned.
unsafe impl<V: Retire + Send + Sync> Sync for Shared<V> {}

impl<V> Unique<V> {
    /// A value with its only handle.
    pub fn new(value: V) -> Self {
        let counted = Box::new(Counted { count: AtomicU64::new(HANDLE), value });
        Unique { counted: NonNull::from(Box::leak(counted)), owner: PhantomData }
    }

    /// The first of the handles that will share the value.
    #[inline]
    pub fn share(self) -> Shared<V>
    where
        V: Retire,
    {
        let counted = std::mem::ManuallyDrop::new(self).counted;
        Shared { counted, owner: PhantomData }
    }
}

impl<V> Deref for Unique<V> {
    type Target = V;
    #[inline]
    fn deref(&self) -> &V {
        // SAFETY: the value lives as long as its handle.
        unsafe { &self.counted.as_ref().value }
    }
}

impl<V> DerefMut for Unique<V> {
    #[inline]
    fn deref_mut(&mut self) -> &mut V {
        // SAFETY: as for `deref`; there is no other handle.
        unsafe { &mut self.counted.as_mut().value }
    }
}

impl<V> Drop for Unique<V> {
    fn drop(&mut self) {
        // SAFETY: it was made from a box by `new`, and there is no other handle.
        drop(unsafe { Box::from_raw(self.counted.as_ptr()) });
    }
}

impl<V: Retire> Shared<V> {
    #[inline]
    fn count(&self) -> &AtomicU64 {
        // SAFETY: the value lives as long as a handle.
        unsafe { &self.counted.as_ref().count }
    }

    /// How many handles there are at this moment.
    #[inline]
    pub fn handles(&self) -> usize {
        self.count().load(Ordering::Relaxed) as u32 as usize
    }

    /// Whether this is the only handle, and not marked. `Acquire` sees what others did before they dropped
    /// theirs.
    #[inline]
    pub fn is_only(&self) -> bool {
        self.count().load(Ordering::Acquire) == HANDLE
    }

    /// Whether one of the handles is marked at this moment.
    #[inline]
    pub fn is_marked(&self) -> bool {
        self.count().load(Ordering::Relaxed) >= MARK
    }

    /// Another handle that is marked, until [`Shared::drop_marked`] drops it: handle and mark are one
    /// atomic update.
    #[inline]
    pub fn marked(&self) -> Self {
        self.another(HANDLE | MARK)
    }

    /// Drops a handle made by [`Shared::marked`].
    #[inline]
    pub fn drop_marked(self) {
        std::mem::ManuallyDrop::new(self).leave(HANDLE | MARK);
    }

    #[inline(always)]
    fn another(&self, counts: u64) -> Self {
        // As many handles as would overflow their half of the count can only have been forgotten.
        #[cfg(debug_assertions)]
        counted::note(self.address());
        if self.count().fetch_add(counts, Ordering::Relaxed) as u32 > i32::MAX as u32 {
            abort();
        }
        Shared { counted: self.counted, owner: PhantomData }
    }

    /// The end of a handle that has `counts` in the count; the last one hands the value on.
    #[inline(always)]
    fn leave(&mut self, counts: u64) {
        let count = self.count();
        // The only handle stays the only one, and needs no update.
        if count.load(Ordering::Acquire) != counts {
            #[cfg(debug_assertions)]
            counted::note(self.address());
            if count.fetch_sub(counts, Ordering::Release) != counts {
                return;
            }
            fence(Ordering::Acquire);
        }
        // A `Unique` has a count of one.
        count.store(HANDLE, Ordering::Relaxed);
        V::retire(Unique { counted: self.counted, owner: PhantomData });
    }

    /// The value, if there is no other handle.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut V> {
        // The only handle stays the only one: it is borrowed here, so nobody can clone it.
        if !self.is_only() {
            return None;
        }
        // SAFETY: there is no other handle.
        Some(unsafe { &mut self.counted.as_mut().value })
    }

    /// The address of the value.
    #[inline]
    pub fn address(&self) -> usize {
        self.counted.as_ptr() as usize
    }
}

/// Updates of handles' counts, in builds with debug assertions: for tests that nothing is shared by counting.
#[cfg(debug_assertions)]
pub mod counted {
    use std::cell::RefCell;

    thread_local!(static WATCHED: RefCell<Vec<(usize, usize)>> = const { RefCell::new(Vec::new()) });

    /// How many times this thread updates the counts of the values at these addresses while it runs `f`.
    pub fn updates(addresses: &[usize], f: impl FnOnce()) -> usize {
        WATCHED.set(addresses.iter().map(|&address| (address, 0)).collect());
        f();
        WATCHED.take().into_iter().map(|(_, updates)| updates).sum()
    }

    #[inline]
    pub(super) fn note(address: usize) {
        // Where thread locals are gone nothing is watched.
        let _ = WATCHED.try_with(|watched| {
            if let Ok(mut watched) = watched.try_borrow_mut()
                && let Some((_, updates)) = watched.iter_mut().find(|(known, _)| *known == address)
            {
                *updates += 1;
            }
        });
    }
}

impl<V: Retire> Deref for Shared<V> {
    type Target = V;
    #[inline]
    fn deref(&self) -> &V {
        // SAFETY: the value lives as long as a handle.
        unsafe { &self.counted.as_ref().value }
    }
}

impl<V: Retire> Clone for Shared<V> {
    #[inline]
    fn clone(&self) -> Self {
        self.another(HANDLE)
    }
}

impl<V: Retire> Drop for Shared<V> {
    #[inline]
    fn drop(&mut self) {
        self.leave(HANDLE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    static RETIRED: AtomicUsize = AtomicUsize::new(0);

    struct Number(u64);

    impl Retire for Number {
        fn retire(last: Unique<Self>) {
            RETIRED.fetch_add(last.0 as usize, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_last_handle_hands_the_value_on() {
        let mut unique = Unique::new(Number(0));
        unique.0 = 7;
        let mut first = unique.share();
        assert!(first.get_mut().is_some());
        let second = first.clone();
        assert_eq!((second.0, second.handles(), first.address()), (7, 2, second.address()));
        assert!(first.get_mut().is_none());
        std::thread::spawn(move || drop(second)).join().unwrap();
        assert_eq!(RETIRED.load(Ordering::Relaxed), 0);
        assert!(first.get_mut().is_some());
        drop(first);
        assert_eq!(RETIRED.load(Ordering::Relaxed), 7);
    }
}
