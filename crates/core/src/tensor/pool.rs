//! Recycled storage: a training loop in steady state asks the system for (almost) nothing.
//!
//! When the last handle of a storage drops, the whole storage, its reference count included, goes to the
//! pool of the thread that dropped it, and the next tensor of about that size takes it from there. Of each
//! size a thread keeps no more than it made itself: what others make and this one drops would never be
//! asked for.

use std::sync::atomic::{AtomicUsize, Ordering};

use wengert_kernel::memory::buffer::AlignedBuffer;
use wengert_kernel::memory::prefetch::prefetch;
use wengert_kernel::memory::shared::Unique;

use crate::base::dims::{Dims, checked_count};
use crate::tensor::storage::{Storage, Upkeep};
use crate::tensor::{Element, memory};

/// Sizes are rounded up to one of four steps per power of two, so at most a quarter is wasted.
const SIZE_STEPS: usize = 4;
const CLASSES: usize = usize::BITS as usize * SIZE_STEPS;
const SMALLEST: usize = 16;

static LIMIT: AtomicUsize = AtomicUsize::new(512 << 20);

/// One thread's free storages of one element type, by size class; last in, first out, so warm in cache.
pub struct Pool<T: Element> {
    classes: [Vec<Unique<Storage<T>>>; CLASSES],
    /// How many of each class this thread asked the system for: as many as it had in use at a time, or gave
    /// to other threads.
    made: [u32; CLASSES],
    bytes: usize,
}

/// The capacity that a length is rounded up to, and its class.
#[inline]
fn class_of(len: usize) -> (usize, usize) {
    // Whole vectors, so that a kernel may read and write the last one to its end.
    let len = len.next_multiple_of(SMALLEST).max(SMALLEST);
    let octave = (usize::BITS - 1 - (len - 1).leading_zeros()) as usize;
    // A step is a power of two: shifts, since a division would take longer than all the rest.
    let shift = octave - SIZE_STEPS.trailing_zeros() as usize;
    let steps = (len - (1 << octave) + (1 << shift) - 1) >> shift;
    ((1 << octave) + (steps << shift), octave * SIZE_STEPS + steps)
}

impl<T: Element> Pool<T> {
    pub(crate) const fn new() -> Self {
        Pool { classes: [const { Vec::new() }; CLASSES], made: [0; CLASSES], bytes: 0 }
    }

    #[inline]
    fn take(&mut self, class: usize) -> Option<Unique<Storage<T>>> {
        let free = &mut self.classes[class];
        let storage = free.pop()?;
        // Of a long tape's storages most have left the caches: the next one comes while this one is filled.
        if let Some(next) = free.last() {
            prefetch(&**next);
        }
        self.bytes -= storage.bytes();
        Some(storage)
    }

    #[inline]
    fn put(&mut self, class: usize, storage: Unique<Storage<T>>) {
        let bytes = storage.bytes();
        let free = &mut self.classes[class];
        if free.len() < self.made[class] as usize && self.bytes + bytes <= LIMIT.load(Ordering::Relaxed) {
            self.bytes += bytes;
            free.push(storage);
        }
    }

    fn count_made(&mut self, class: usize) {
        self.made[class] = self.made[class].saturating_add(1);
    }

    fn clear(&mut self) {
        *self = Pool::new();
    }
}

/// A row-major storage of elements of no particular value: whatever its last user left there. None if the
/// shape has more elements than a tensor, or the allocator refuses: [`memory::refusal`] says which.
#[inline]
pub(crate) fn try_acquire<T: Element>(shape: &Dims) -> Option<Unique<Storage<T>>> {
    let (capacity, class) = class_of(checked_count(shape)?);
    acquire_from(class, capacity, |fresh| fresh.renew(shape))
}

/// [`try_acquire`] that gives up where that gives none.
#[inline]
#[track_caller]
pub(crate) fn acquire<T: Element>(shape: &Dims) -> Unique<Storage<T>> {
    match try_acquire(shape) {
        Some(fresh) => fresh,
        None => memory::refuse::<T>(shape),
    }
}

/// A storage of the length and layout of another one.
#[inline]
#[track_caller]
pub(crate) fn acquire_like<T: Element>(other: &Storage<T>) -> Unique<Storage<T>> {
    let Some(class) = other.class() else { return acquire(other.layout().shape()) };
    match acquire_from(class, other.capacity(), |fresh| fresh.renew_like(other)) {
        Some(fresh) => fresh,
        None => memory::refuse::<T>(other.layout().shape()),
    }
}

#[inline(always)]
fn acquire_from<T: Element>(
    class: usize,
    capacity: usize,
    lay_out: impl FnOnce(&mut Storage<T>),
) -> Option<Unique<Storage<T>>> {
    let recycled = T::pool().try_with(|pool| pool.borrow_mut().take(class)).ok().flatten();
    let mut fresh = match recycled {
        Some(recycled) => recycled,
        None => unused(class, capacity)?,
    };
    fresh.renew_upkeep();
    lay_out(&mut fresh);
    Some(fresh)
}

/// A storage from the system; out of line, since it is rare in steady state. What this thread keeps for
/// later is given back before it gives up.
#[cold]
#[inline(never)]
fn unused<T: Element>(class: usize, capacity: usize) -> Option<Unique<Storage<T>>> {
    let _ = T::pool().try_with(|pool| pool.borrow_mut().count_made(class));
    let buffer = AlignedBuffer::zeroed(capacity, capacity).or_else(|| {
        clear_pool();
        AlignedBuffer::zeroed(capacity, capacity)
    })?;
    Some(Unique::new(Storage::new(buffer, Upkeep::recyclable(class))))
}

/// Takes a storage back.
#[inline]
pub(crate) fn release<T: Element>(mut storage: Unique<Storage<T>>) {
    if !storage.packs().is_empty() {
        storage.clear_packs();
    }
    if let Some(class) = storage.class() {
        // At a thread's end its pool may be gone already: then the storage is simply freed.
        let _ = T::pool().try_with(|pool| pool.borrow_mut().put(class, storage));
    }
}

/// The bytes that wait in this thread's pools for their next use.
///
/// ```
/// use wengert_core::{pool_bytes, clear_pool, Tensor};
/// drop(Tensor::<f32>::zeros([1000]));
/// assert!(pool_bytes() >= 4000);
/// clear_pool();
/// assert_eq!(pool_bytes(), 0);
/// ```
pub fn pool_bytes() -> usize {
    fn bytes<T: Element>() -> usize {
        T::pool().with(|pool| pool.borrow().bytes)
    }
    bytes::<f32>() + bytes::<f64>() + bytes::<i64>() + bytes::<bool>()
}

/// Gives all memory in this thread's pools back to the system. Tensors in use are not touched, and will not
/// wait here either when they are dropped.
pub fn clear_pool() {
    fn clear<T: Element>() {
        // At a thread's end it may be gone already.
        let _ = T::pool().try_with(|pool| pool.borrow_mut().clear());
    }
    clear::<f32>();
    clear::<f64>();
    clear::<i64>();
    clear::<bool>();
}

/// Sets how many bytes a thread's pool of one element type may keep; what comes back beyond is freed.
/// The default is 512 MiB. Of each size a thread keeps at most as many storages as it asked the system for:
/// one that only drops what others made keeps nothing.
///
/// ```
/// wengert_core::set_pool_limit(64 << 20);
/// # wengert_core::set_pool_limit(512 << 20);
/// ```
pub fn set_pool_limit(bytes: usize) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_waste_at_most_a_quarter_and_are_fixed_points() {
        for len in 1..5000 {
            let (capacity, class) = class_of(len);
            assert!(
                capacity >= len && capacity <= (len + len / 4 + 1).next_multiple_of(SMALLEST),
                "{len} -> {capacity}"
            );
            assert_eq!(class_of(capacity), (capacity, class));
        }
    }

    #[test]
    fn a_dropped_storage_is_used_again() {
        clear_pool();
        let first = crate::Tensor::<f64>::zeros([100]);
        let address = first.as_slice().unwrap().as_ptr();
        drop(first);
        let second = crate::Tensor::<f64>::ones([110]);
        assert_eq!(second.as_slice().unwrap().as_ptr(), address);
    }

    /// `count` tensors made on another thread.
    fn from_elsewhere(count: usize) -> Vec<crate::Tensor<f32>> {
        std::thread::spawn(move || (0..count).map(|_| crate::Tensor::zeros([1000])).collect()).join().unwrap()
    }

    #[test]
    fn what_other_threads_made_is_kept_as_far_as_this_one_makes_such_itself() {
        let on_a_thread = |f: fn()| std::thread::spawn(f).join().unwrap();
        on_a_thread(|| {
            (0..10).for_each(|_| drop(from_elsewhere(5)));
            assert_eq!(pool_bytes(), 0);
        });
        on_a_thread(|| {
            let own: Vec<_> = (0..3).map(|_| crate::Tensor::<f32>::ones([1000])).collect();
            (0..10).for_each(|_| drop(from_elsewhere(5)));
            drop(own);
            assert_eq!(pool_bytes(), 3 * 4 * class_of(1000).0);
        });
    }
}
