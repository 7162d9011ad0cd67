//! Memory with what is kept beside it.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

use super::buffer::AlignedBuffer;
use super::dims::{Dims, checked_count};
use super::layout::Layout;
use super::shared::{Retire, Unique};
use crate::number::Number;

/// Memory, laid out row-major, with what its users keep beside it.
pub struct Block<T, X> {
    pub(super) buffer: AlignedBuffer<T>,
    /// Of as many elements as the buffer.
    pub(super) whole: Layout,
    /// Whether parts of it may be being written while others are read.
    is_cut: AtomicBool,
    beside: X,
}

/// A value that is kept beside memory, and says what becomes of both when the last handle goes.
pub trait Beside<T>: Sized {
    /// Takes a block that nobody else has a handle to.
    fn retire(last: Unique<Block<T, Self>>);

    /// Takes note that the elements are given out to be changed.
    fn changing(&mut self) {}
}

impl<T, X: Beside<T>> Retire for Block<T, X> {
    // Out of line, here and for views: so that the end of a handle that is not the last stays short where it
    // is compiled in place.
    #[inline(never)]
    fn retire(last: Unique<Self>) {
        X::retire(last);
    }
}

impl<T, X> Deref for Block<T, X> {
    type Target = X;
    #[inline]
    fn deref(&self) -> &X {
        &self.beside
    }
}

impl<T, X> DerefMut for Block<T, X> {
    #[inline]
    fn deref_mut(&mut self) -> &mut X {
        &mut self.beside
    }
}

impl<T: Number, X> Block<T, X> {
    /// A block whose one axis goes along all elements of a buffer.
    pub fn new(buffer: AlignedBuffer<T>, beside: X) -> Self {
        let shape: Dims = [buffer.as_slice().len()].into_iter().collect();
        let whole = Layout::row_major(shape);
        Block { buffer, whole, is_cut: AtomicBool::new(false), beside }
    }

    /// Gives memory that is used again the extents that are wanted now; the elements keep whatever they
    /// held.
    ///
    /// # Panics
    /// If the memory has not the capacity for so many elements.
    #[inline]
    pub fn renew(&mut self, shape: &Dims) {
        self.buffer.forget_version();
        *self.is_cut.get_mut() = false;
        // What comes from a pool often has them already.
        if self.whole.shape() != shape {
            self.lay_out(shape);
        }
    }

    fn lay_out(&mut self, shape: &Dims) {
        let count = checked_count(shape).expect("a block has the elements of a tensor");
        if count != self.buffer.as_slice().len() {
            self.buffer.set_len(count);
        }
        self.whole.set_row_major(shape);
    }

    /// [`Block::renew`] with the extents of another one.
    #[inline]
    pub fn renew_like(&mut self, other: &Block<T, X>) {
        self.buffer.forget_version();
        *self.is_cut.get_mut() = false;
        if self.whole.shape() != other.whole.shape() {
            self.buffer.set_len(other.buffer.as_slice().len());
            self.whole.clone_from(&other.whole);
        }
    }

    /// The layout of the region that is all of the memory.
    #[inline]
    pub fn layout(&self) -> &Layout {
        &self.whole
    }

    /// How many elements there is room for.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// How many bytes the memory takes.
    pub fn bytes(&self) -> usize {
        self.buffer.bytes()
    }

    /// How many elements there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.buffer.as_slice().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often elements were given out to be written.
    #[inline]
    pub fn version(&self) -> u64 {
        self.buffer.version()
    }

    /// The elements, to change.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.buffer.as_mut_slice()
    }

    /// The elements and what initialised memory there is behind them, to change.
    #[inline]
    pub fn as_mut_room(&mut self) -> &mut [T] {
        self.buffer.as_mut_room()
    }

    /// Where it begins, to write elements of which no region is.
    #[inline]
    pub(crate) fn to_write(&self) -> *mut T {
        self.buffer.address()
    }

    #[inline]
    pub(super) fn is_cut(&self) -> bool {
        // Whoever sees the end of a cut sees what was written to its parts.
        self.is_cut.load(Ordering::Acquire)
    }

    /// From now on parts may be written while others are read.
    pub(crate) fn begin_cut(&mut self) {
        *self.is_cut.get_mut() = true;
    }

    /// All parts are finished.
    pub(crate) fn end_cut(&self) {
        self.is_cut.store(false, Ordering::Release);
    }
}
