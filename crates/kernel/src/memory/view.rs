//! What kernels read, and write over.

use std::marker::PhantomData;

#[cfg(feature = "ndarray")]
use ndarray::{ArrayViewD, IxDyn, ShapeBuilder, ShapeError};

use crate::memory::layout::Layout;

/// Elements that a kernel reads: where the first one lies, and how the others lie from there.
///
/// A kernel reads these elements, and, for whole vectors, as many from the first one on as are said to be
/// readable.
pub struct View<'a, T> {
    start: *const T,
    readable: usize,
    layout: &'a Layout,
    owner: PhantomData<&'a [T]>,
}

impl<T> Clone for View<'_, T> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for View<'_, T> {}

// SAFETY: it stands for a borrow of elements that nobody writes meanwhile.
unsafe impl<T: Sync> Send for View<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for View<'_, T> {}

impl<'a, T> View<'a, T> {
    /// Elements of this layout, of which the first is at `start`.
    ///
    /// # Safety
    /// For as long as the borrow, these and the first `readable` ones from `start` on are valid, and nobody
    /// writes them.
    #[inline]
    pub(crate) unsafe fn new(start: *const T, readable: usize, layout: &'a Layout) -> Self {
        View { start, readable, layout, owner: PhantomData }
    }

    /// Elements of a slice.
    ///
    /// # Panics
    /// If the layout leaves the slice.
    #[cfg(test)]
    pub fn of(memory: &'a [T], layout: &'a Layout) -> Self {
        let (first, reach) = (layout.offset(), layout.reach());
        assert!(reach <= memory.len() && first <= memory.len() - reach, "a layout inside of the memory");
        let rest = &memory[first..];
        View { start: rest.as_ptr(), readable: rest.len(), layout, owner: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn start(&self) -> *const T {
        self.start
    }

    /// How many elements can be read from the first one on, in whatever order the layout goes through them.
    #[inline(always)]
    pub(crate) fn readable(&self) -> usize {
        self.readable
    }

    /// How the elements lie.
    #[inline(always)]
    pub fn layout(&self) -> &'a Layout {
        self.layout
    }

    /// All that can be read as a slice, from the first element on.
    #[inline]
    pub fn rest(self) -> &'a [T] {
        // SAFETY: so many are valid, and nobody writes them.
        unsafe { std::slice::from_raw_parts(self.start, self.readable) }
    }

    /// The elements as an array.
    ///
    /// # Errors
    /// If ndarray has no such arrays: those without elements, whose other extents have a product that is no
    /// `isize`.
    #[cfg(feature = "ndarray")]
    pub fn as_ndarray(self) -> Result<ArrayViewD<'a, T>, ShapeError> {
        let shape = IxDyn(self.layout.shape());
        if self.layout.reach() == 0 {
            // ndarray wants even the strides of nothing to stay inside.
            return ArrayViewD::from_shape(shape, &[]);
        }
        let strides = shape.strides(IxDyn(self.layout.strides()));
        // SAFETY: these are elements of the view, for as long as it is borrowed.
        Ok(unsafe { ArrayViewD::from_shape_ptr(strides, self.start) })
    }

    /// The first `count` elements of memory.
    ///
    /// # Panics
    /// If not so many can be read.
    #[inline]
    pub fn elements(self, count: usize) -> &'a [T] {
        &self.rest()[..count]
    }
}

/// Elements that one kernel reads and writes over.
pub struct InOut<'a, T> {
    start: *mut T,
    len: usize,
    owner: PhantomData<&'a mut [T]>,
}

impl<'a, T> From<&'a mut [T]> for InOut<'a, T> {
    #[inline]
    fn from(elements: &'a mut [T]) -> Self {
        InOut { start: elements.as_mut_ptr(), len: elements.len(), owner: PhantomData }
    }
}

impl<T> InOut<'_, T> {
    /// Where they begin, and how many there are.
    #[inline(always)]
    pub(crate) fn into_parts(self) -> (*mut T, usize) {
        (self.start, self.len)
    }
}

/// The place of a kernel's result, whose elements lie there as the layout says, if there is one: else in
/// order.
pub struct Target<'a, T> {
    start: *mut T,
    writable: usize,
    layout: Option<&'a Layout>,
    owner: PhantomData<&'a mut [T]>,
}

impl<'a, T> Target<'a, T> {
    /// Elements of this layout, of which the first is at `start`.
    ///
    /// # Safety
    /// For as long as the borrow, these and the first `writable` ones from `start` on are valid, and nobody
    /// else uses them.
    #[inline]
    pub(crate) unsafe fn new(start: *mut T, writable: usize, layout: Option<&'a Layout>) -> Self {
        Target { start, writable, layout, owner: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn start(&self) -> *mut T {
        self.start
    }

    /// How many elements may be written from the first one on.
    #[inline(always)]
    pub(crate) fn writable(&self) -> usize {
        self.writable
    }

    #[inline(always)]
    pub(crate) fn layout(&self) -> Option<&'a Layout> {
        self.layout
    }
}

impl<'a, T> From<&'a mut [T]> for Target<'a, T> {
    #[inline]
    fn from(slice: &'a mut [T]) -> Self {
        Target { start: slice.as_mut_ptr(), writable: slice.len(), layout: None, owner: PhantomData }
    }
}

#[cfg(test)]
impl<'a, T> Target<'a, T> {
    /// Elements of a slice that lie as `layout` says.
    pub fn of(memory: &'a mut [T], layout: &'a Layout) -> Self {
        assert!(layout.offset() + layout.reach() <= memory.len());
        let rest = &mut memory[layout.offset()..];
        Target { start: rest.as_mut_ptr(), writable: rest.len(), layout: Some(layout), owner: PhantomData }
    }
}
