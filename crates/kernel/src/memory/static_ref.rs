//! An atomic place for a `&'static T`, or none.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A pointer as `AtomicPtr` is one, but safe to read: only references that live forever are ever stored.
pub struct StaticRef<T: 'static> {
    pointer: AtomicPtr<T>,
    owner: PhantomData<&'static T>,
}

impl<T: Sync> StaticRef<T> {
    /// A place without a reference yet.
    pub const fn none() -> Self {
        StaticRef { pointer: AtomicPtr::new(std::ptr::null_mut()), owner: PhantomData }
    }

    /// Puts a reference there.
    pub fn set(&self, value: &'static T) {
        self.pointer.store(std::ptr::from_ref(value).cast_mut(), Ordering::Release);
    }

    /// The last one that was put there.
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: the pointer is null or was made from a `&'static T` in `set`; nobody writes through it.
        unsafe { self.pointer.load(Ordering::Acquire).as_ref() }
    }
}
