//! Memory for elements: aligned for vectors, always initialised.

use std::alloc::{Layout, alloc, dealloc};
use std::mem::{ManuallyDrop, align_of, size_of};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::memory::pages::ask_for_large;
use crate::number::Number;

/// A cache line, and the width of the widest vectors.
const ALIGN: usize = 64;

/// `len` initialised elements in an allocation of `capacity`, freed with the alignment it was made with.
pub struct AlignedBuffer<T> {
    start: NonNull<T>,
    len: usize,
    capacity: usize,
    /// How many elements are initialised: those behind the length are of no particular value.
    room: usize,
    align: usize,
    /// How often somebody was given the elements to write them. Whoever keeps something derived from them
    /// compares it.
    version: AtomicU64,
}

// SAFETY: a buffer owns its elements, which are plain numbers; it hands them out by the borrow rules.
unsafe impl<T: Number> Send for AlignedBuffer<T> {}
// SAFETY: as above; `&AlignedBuffer` gives out `&[T]` alone.
unsafe impl<T: Number> Sync for AlignedBuffer<T> {}

impl<T: Number> AlignedBuffer<T> {
    /// A new buffer of zeros, with room for `capacity` elements; none if the allocator refuses.
    pub fn zeroed(len: usize, capacity: usize) -> Option<Self> {
        let capacity = capacity.max(len);
        if capacity == 0 {
            return Some(AlignedBuffer::empty());
        }
        let bytes = capacity.checked_mul(size_of::<T>())?;
        let layout = Layout::from_size_align(bytes, ALIGN).ok()?;
        // SAFETY: `layout` has a size above zero.
        let start = NonNull::new(unsafe { alloc(layout) })?;
        ask_for_large(start.as_ptr(), bytes);
        // SAFETY: the memory is ours. Elements are numbers or bool: all-zero bytes are valid.
        unsafe { start.as_ptr().write_bytes(0, bytes) };
        let start = start.cast::<T>();
        Some(AlignedBuffer { start, len, capacity, room: capacity, align: ALIGN, version: AtomicU64::new(0) })
    }

    /// A buffer without elements, and without memory.
    pub const fn empty() -> Self {
        let version = AtomicU64::new(0);
        AlignedBuffer { start: NonNull::dangling(), len: 0, capacity: 0, room: 0, align: ALIGN, version }
    }

    /// Takes over a vector's memory without copying.
    pub fn from_vec(vec: Vec<T>) -> Self {
        let mut vec = ManuallyDrop::new(vec);
        let start = NonNull::new(vec.as_mut_ptr()).expect("a vector's pointer is never null");
        let (len, capacity) = (vec.len(), vec.capacity());
        AlignedBuffer { start, len, capacity, room: len, align: align_of::<T>(), version: AtomicU64::new(0) }
    }

    /// Where it begins, to write elements that nobody reads: see [`Claim`](crate::memory::cut::Claim). As
    /// every way to write, it changes the version.
    pub(crate) fn address(&self) -> *mut T {
        // Several parts may be given out at once, on one thread: no update is lost, and none has to be atomic
        // as a whole.
        self.version.store(self.version() + 1, Ordering::Relaxed);
        self.start.as_ptr()
    }

    /// How often the elements were given out to be written, since [`AlignedBuffer::forget_version`].
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    /// Begins to count anew, for a new owner.
    #[inline]
    pub fn forget_version(&mut self) {
        *self.version.get_mut() = 0;
    }

    /// Where it begins, to read.
    #[inline]
    pub(crate) fn as_ptr(&self) -> *const T {
        self.start.as_ptr()
    }

    /// How many elements are initialised.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// How many elements there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many bytes the buffer takes.
    pub fn bytes(&self) -> usize {
        self.capacity * size_of::<T>()
    }

    /// Changes the length within the capacity; the elements keep whatever they held.
    pub fn set_len(&mut self, len: usize) {
        assert!(len <= self.capacity && self.align == ALIGN, "only a zeroed buffer has room to grow into");
        self.len = len;
    }

    /// The elements and the initialised ones behind them, so that whole vectors can be written at the end.
    #[inline]
    pub fn as_mut_room(&mut self) -> &mut [T] {
        *self.version.get_mut() += 1;
        // SAFETY: `start` points to `room` initialised elements; `&mut self` makes the borrow exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.room) }
    }

    /// The elements.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        // SAFETY: `start` points to `len` initialised elements that this buffer owns.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The elements, to change.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        *self.version.get_mut() += 1;
        // SAFETY: as for `as_slice`; `&mut self` makes the borrow exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T> Drop for AlignedBuffer<T> {
    fn drop(&mut self) {
        let bytes = self.capacity * size_of::<T>();
        if bytes > 0 {
            // SAFETY: the memory was allocated with this size and alignment, by `zeroed` or by `Vec`.
            unsafe {
                dealloc(self.start.as_ptr().cast(), Layout::from_size_align_unchecked(bytes, self.align));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adopts_a_vector_without_copying() {
        let vec = vec![1.0f32, 2.0, 3.0];
        let address = vec.as_ptr();
        let buffer = AlignedBuffer::from_vec(vec);
        assert_eq!(buffer.as_slice(), &[1.0, 2.0, 3.0]);
        assert_eq!(buffer.as_slice().as_ptr(), address);
    }

    #[test]
    fn zeroed_is_aligned_and_may_be_empty() {
        let mut buffer = AlignedBuffer::<f64>::zeroed(3, 16).unwrap();
        assert_eq!(buffer.as_slice().as_ptr() as usize % ALIGN, 0);
        buffer.as_mut_slice()[2] = 5.0;
        buffer.set_len(16);
        assert_eq!(&buffer.as_slice()[..4], &[0.0, 0.0, 5.0, 0.0]);
        assert!(AlignedBuffer::<i64>::zeroed(0, 0).unwrap().as_slice().is_empty());
    }

    #[test]
    fn what_cannot_be_allocated_is_none() {
        for capacity in [usize::MAX, usize::MAX / 8, isize::MAX as usize, isize::MAX as usize / 8] {
            assert!(AlignedBuffer::<f64>::zeroed(0, capacity).is_none());
        }
    }

    #[test]
    fn every_way_to_write_changes_the_version() {
        let mut buffer = AlignedBuffer::<f32>::zeroed(3, 16).unwrap();
        let ways: [fn(&mut AlignedBuffer<f32>); 3] = [
            |buffer| buffer.as_mut_slice()[0] = 1.0,
            |buffer| buffer.as_mut_room()[5] = 1.0,
            |buffer| assert!(!buffer.address().is_null()),
        ];
        for write in ways {
            let before = buffer.version();
            write(&mut buffer);
            assert!(buffer.version() > before);
        }
        let before = buffer.version();
        assert_eq!((buffer.as_slice().len(), buffer.room(), buffer.version()), (3, 16, before));
    }
}
