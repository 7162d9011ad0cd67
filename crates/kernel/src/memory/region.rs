//! Memory together with where in it elements lie: what may be read, and by whom it may be written.
//!
//! A [`Block`] is memory with what is kept beside it. Its only handle may change it; once it is shared, [`Region`]s of it are
//! read. The one way to write memory that others hold is a [`Cut`](crate::memory::cut::Cut), which gives each of its parts
//! once, and a part is a region only when it is finished. So nobody writes the elements of a region for as long as
//! there is a handle to it: a region that is made from another one shows elements of that one, or was checked to lie
//! in memory of which nothing is being written.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::memory::buffer::Buffer;
use crate::memory::dims::{Dims, checked_count};
use crate::memory::shared::{Retire, Shared, Unique};
use crate::memory::view::{InOut, View};
use crate::number::Number;

/// Memory, laid out row-major, with what its users keep beside it.
pub struct Block<T, X> {
    buffer: Buffer<T>,
    /// Of as many elements as the buffer.
    whole: Layout,
    /// Whether parts of it may be being written while others are read.
    is_cut: AtomicBool,
    beside: X,
}

/// What is kept beside memory, and what becomes of both when the last handle goes.
pub trait Beside<T>: Sized {
    /// Takes a block that nobody else has a handle to.
    fn retire(last: Unique<Block<T, Self>>);
}

impl<T, X: Beside<T>> Retire for Block<T, X> {
    // Out of line, here and for views: so that the end of a handle that is not the last stays short where it is
    // compiled in place.
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
    /// One axis of all elements of a buffer.
    pub fn new(buffer: Buffer<T>, beside: X) -> Self {
        let shape: Dims = [buffer.as_slice().len()].into_iter().collect();
        let whole = Layout { offset: 0, strides: shape.row_major(), shape };
        Block { buffer, whole, is_cut: AtomicBool::new(false), beside }
    }

    /// Gives memory that is used again the extents that are wanted now; the elements keep whatever they held.
    ///
    /// # Panics
    /// If it has not the capacity for so many elements.
    #[inline]
    pub fn renew(&mut self, shape: &Dims) {
        self.buffer.forget_version();
        *self.is_cut.get_mut() = false;
        // What comes from a pool often has them already.
        if self.whole.shape != *shape {
            self.lay_out(shape);
        }
    }

    fn lay_out(&mut self, shape: &Dims) {
        let count = checked_count(shape).expect("a block has the elements of a tensor");
        if count != self.buffer.as_slice().len() {
            self.buffer.set_len(count);
        }
        self.whole.shape.clone_from(shape);
        self.whole.strides.set_row_major(shape);
    }

    /// [`Block::renew`] with the extents of another one.
    #[inline]
    pub fn renew_like(&mut self, other: &Block<T, X>) {
        self.buffer.forget_version();
        *self.is_cut.get_mut() = false;
        if self.whole.shape != other.whole.shape {
            self.buffer.set_len(other.buffer.as_slice().len());
            self.whole.clone_from(&other.whole);
        }
    }

    /// How the region that is all of it lies.
    #[inline]
    pub fn layout(&self) -> &Layout {
        &self.whole
    }

    /// How many elements there is room for.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Bytes of memory.
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
    fn is_cut(&self) -> bool {
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

/// Where elements lie in memory: from the first one on, how many along each axis, and how far they are apart.
#[derive(Default)]
pub struct Layout {
    offset: usize,
    shape: Dims,
    strides: Dims,
}

impl Layout {
    /// Elements of these extents and strides.
    #[cfg(test)]
    pub fn new(offset: usize, shape: Dims, strides: Dims) -> Self {
        assert_eq!(shape.len(), strides.len(), "an axis has an extent and a stride");
        Layout { offset, shape, strides }
    }

    /// Of a view of row-major elements of extents `base`.
    pub fn of_view<E>(base: Dims, change: impl FnOnce(&mut Axes<'_>) -> Result<(), E>) -> Result<Self, E> {
        let mut layout = Layout { offset: 0, strides: base.row_major(), shape: base };
        change(&mut Axes(&mut layout))?;
        layout.settle();
        Ok(layout)
    }

    /// Where there are no elements the offset may lead outside.
    fn settle(&mut self) {
        if self.shape.contains(&0) {
            self.offset = 0;
        }
    }

    /// Where the first element lies.
    #[inline]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The extents.
    #[inline]
    pub fn shape(&self) -> &Dims {
        &self.shape
    }

    /// How far neighbours along each axis are apart.
    #[inline]
    pub fn strides(&self) -> &Dims {
        &self.strides
    }

    /// Becomes another one; in place, since moving what was just written is slow.
    #[inline]
    fn clone_from(&mut self, from: &Layout) {
        self.offset = from.offset;
        self.shape.clone_from(&from.shape);
        self.strides.clone_from(&from.strides);
    }

    /// Whether the elements lie in row-major order without gaps.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        let mut step = 1;
        for (&extent, &stride) in self.shape.iter().zip(self.strides.iter()).rev() {
            if extent != 1 {
                if stride != step {
                    return self.shape.count() == 0;
                }
                step = step.wrapping_mul(extent);
            }
        }
        true
    }

    /// How many elements of memory lie from the first one to the last; as many as can be counted at most.
    #[inline]
    pub fn reach(&self) -> usize {
        reach(&self.shape, &self.strides).unwrap_or(usize::MAX)
    }
}

/// How many elements of memory lie from the first one to the last; none if they are more than can be counted.
#[inline]
fn reach(shape: &[usize], strides: &[usize]) -> Option<usize> {
    let mut last = 0usize;
    for (&extent, &stride) in shape.iter().zip(strides) {
        let Some(steps) = extent.checked_sub(1) else { return Some(0) };
        last = last.checked_add(steps.checked_mul(stride)?)?;
    }
    // Another axis may be one without elements.
    if shape.contains(&0) { Some(0) } else { last.checked_add(1) }
}

impl Retire for Layout {
    #[inline(never)]
    fn retire(last: Unique<Self>) {
        release_view(last);
    }
}

thread_local! {
    /// Layouts of views, used again like memory.
    static VIEWS: RefCell<Vec<Unique<Layout>>> = const { RefCell::new(Vec::new()) };
}

/// How many layouts of views are kept.
const VIEWS_KEPT: usize = 1 << 12;

/// A layout of no particular content, to be filled in.
#[inline]
fn acquire_view() -> Unique<Layout> {
    let kept = VIEWS.try_with(|views| views.borrow_mut().pop()).ok().flatten();
    kept.unwrap_or_else(|| Unique::new(Layout::default()))
}

/// Takes a layout back.
#[inline]
fn release_view(view: Unique<Layout>) {
    let _ = VIEWS.try_with(|views| {
        let mut views = views.borrow_mut();
        if views.len() < VIEWS_KEPT {
            views.push(view);
        }
    });
}

/// A view that is being made of another one's layout: each change leaves elements out, repeats them or names them anew.
pub struct Axes<'l>(&'l mut Layout);

impl Axes<'_> {
    /// The extents so far.
    #[inline]
    pub fn shape(&self) -> &Dims {
        &self.0.shape
    }

    /// Leaves the slice at `index` of an axis, without the axis.
    #[inline]
    pub fn select(&mut self, axis: usize, index: usize) {
        assert!(index < self.0.shape[axis], "a slice of the axis");
        self.0.shape.remove(axis);
        // It wraps only where there are no elements, and then there is no offset.
        self.0.offset = self.0.offset.wrapping_add(index.wrapping_mul(self.0.strides.remove(axis)));
    }

    /// Leaves `length` entries of an axis from `start` on.
    #[inline]
    pub fn narrow(&mut self, axis: usize, start: usize, length: usize) {
        let extent = self.0.shape[axis];
        assert!(start <= extent && length <= extent - start, "entries of the axis");
        self.0.shape[axis] = length;
        // As for `select`.
        self.0.offset = self.0.offset.wrapping_add(start.wrapping_mul(self.0.strides[axis]));
    }

    /// Leaves every `step`-th entry of an axis.
    pub fn step(&mut self, axis: usize, step: usize) {
        let extent = self.0.shape[axis].div_ceil(step);
        self.0.shape[axis] = extent;
        if extent > 1 {
            // Of a single entry there is no next one that the stride, which may be too large for a number, would lead to.
            self.0.strides[axis] = self.0.strides[axis].wrapping_mul(step);
        }
    }

    /// Exchanges two axes.
    #[inline]
    pub fn swap(&mut self, a: usize, b: usize) {
        self.0.shape.swap(a, b);
        self.0.strides.swap(a, b);
    }

    /// Puts the axes in another order, each once.
    pub fn permute(&mut self, order: &[usize]) {
        let rank = self.0.shape.len();
        let each_once = (0..rank).all(|axis| order.contains(&axis));
        assert!(order.len() == rank && each_once, "each axis once");
        let pick = |from: &Dims| order.iter().map(|&axis| from[axis]).collect();
        (self.0.shape, self.0.strides) = (pick(&self.0.shape), pick(&self.0.strides));
    }

    /// Adds an axis of one entry before `axis`.
    pub fn insert(&mut self, axis: usize) {
        let Layout { shape, strides, .. } = &mut *self.0;
        let step = if axis < shape.len() { shape[axis].wrapping_mul(strides[axis]) } else { 1 };
        shape.insert(axis, 1);
        strides.insert(axis, step);
    }

    /// Repeats the elements along axes of one entry, and along new ones before all others.
    ///
    /// # Panics
    /// If an axis has another extent that is not 1.
    pub fn expand(&mut self, shape: &Dims) {
        let own = |axis: usize| (axis + self.0.shape.len()).checked_sub(shape.len());
        assert!(shape.len() >= self.0.shape.len(), "as many axes");
        let strides = shape.iter().enumerate().map(|(axis, extent)| match own(axis) {
            Some(own) if self.0.shape[own] == *extent => self.0.strides[own],
            Some(own) => {
                assert!(self.0.shape[own] == 1, "an axis of one entry");
                0
            }
            None => 0,
        });
        let strides = strides.collect();
        self.0.shape.clone_from(shape);
        self.0.strides = strides;
    }
}

/// Elements in shared memory that nobody writes as long as there is a handle to them.
pub struct Region<T, X: Beside<T>> {
    block: Shared<Block<T, X>>,
    /// None for all of the block, which describes itself: so a handle is two words.
    view: Option<Shared<Layout>>,
}

impl<T, X: Beside<T>> Clone for Region<T, X> {
    #[inline]
    fn clone(&self) -> Self {
        Region { block: self.block.clone(), view: self.view.clone() }
    }
}

impl<T: Number, X: Beside<T>> From<Unique<Block<T, X>>> for Region<T, X> {
    #[inline]
    fn from(fresh: Unique<Block<T, X>>) -> Self {
        Region { block: fresh.share(), view: None }
    }
}

impl<T: Number, X: Beside<T>> Region<T, X> {
    /// The memory that it lies in.
    #[inline]
    pub fn block(&self) -> &Shared<Block<T, X>> {
        &self.block
    }

    /// How it lies there.
    #[inline]
    pub fn layout(&self) -> &Layout {
        match &self.view {
            Some(view) => view,
            None => &self.block.whole,
        }
    }

    /// Whether it is all of its memory, in row-major order.
    #[inline]
    pub fn is_whole(&self) -> bool {
        self.view.is_none()
    }

    /// Whether the elements lie in row-major order without gaps.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        self.view.as_ref().is_none_or(|view| view.is_contiguous())
    }

    /// Whether both lie in row-major order and have the same extents.
    #[inline(always)]
    pub fn lies_like(&self, other: &Self) -> bool {
        match (&self.view, &other.view) {
            // The same handle often stands for several operands.
            (None, None) if std::ptr::eq(self, other) => true,
            (None, None) => self.block.whole.shape == other.block.whole.shape,
            _ => self.is_contiguous() && other.is_contiguous() && self.layout().shape == other.layout().shape,
        }
    }

    /// The same elements, or some of them, otherwise.
    #[inline]
    pub fn seen(&self, change: impl FnOnce(&mut Axes<'_>)) -> Self {
        let mut view = acquire_view();
        view.clone_from(self.layout());
        change(&mut Axes(&mut view));
        self.through(view)
    }

    /// [`Region::seen`] by what may refuse.
    #[inline]
    pub fn try_seen<E>(&self, change: impl FnOnce(&mut Axes<'_>) -> Result<(), E>) -> Result<Self, E> {
        let mut view = acquire_view();
        view.clone_from(self.layout());
        change(&mut Axes(&mut view))?;
        Ok(self.through(view))
    }

    /// With a layout of which every element is one of this region.
    #[inline]
    fn through(&self, mut view: Unique<Layout>) -> Self {
        view.settle();
        Region { block: self.block.clone(), view: Some(view.share()) }
    }

    /// With any other layout whose elements may certainly be read: inside the memory, if nothing of that is being
    /// written, or inside this region, if it lies in row-major order.
    #[inline]
    pub fn with_layout(&self, offset: usize, shape: Dims, strides: Dims) -> Option<Self> {
        let inside = if self.block.is_cut() { self.range()? } else { 0..self.block.len() };
        assert_eq!(shape.len(), strides.len(), "an axis has an extent and a stride");
        let reach = reach(&shape, &strides)?;
        if reach > 0 && (offset < inside.start || offset.checked_add(reach)? > inside.end) {
            return None;
        }
        let mut view = acquire_view();
        *view = Layout { offset, shape, strides };
        Some(self.through(view))
    }

    /// Where a region in row-major order lies.
    #[inline]
    fn range(&self) -> Option<std::ops::Range<usize>> {
        let Layout { offset, shape, .. } = self.layout();
        self.is_contiguous().then(|| *offset..offset + shape.count())
    }

    /// The region of this one and the others, if each, along the first axis, lies behind the one before.
    pub fn followed_by<'r>(&'r self, others: impl Iterator<Item = &'r Self>) -> Option<Self>
    where
        T: 'r,
        X: 'r,
    {
        let first = self.layout();
        let (&height, &step) = (first.shape.first()?, first.strides.first()?);
        let mut rows = height;
        for other in others {
            let Layout { offset, shape, strides } = other.layout();
            let alike = self.block.address() == other.block.address() && *strides == first.strides;
            let narrow = shape.len() == first.shape.len() && shape[1..] == first.shape[1..];
            let next = rows.checked_mul(step)?.checked_add(first.offset)?;
            if !(alike && narrow && *offset == next) {
                return None;
            }
            rows += shape[0];
        }
        let mut view = acquire_view();
        view.clone_from(first);
        view.shape[0] = rows;
        Some(self.through(view))
    }

    /// The elements, to be read by a kernel.
    #[inline]
    pub fn view(&self) -> View<'_, T> {
        let layout = self.layout();
        // SAFETY: the first element lies in memory, or there is none and the offset is zero.
        let start = unsafe { self.block.buffer.as_ptr().add(layout.offset) };
        let readable = if self.block.is_cut() {
            self.readable_beside_writers()
        } else {
            self.block.buffer.room() - layout.offset
        };
        // SAFETY: elements of a region are not written while there is a handle. If nothing of its memory is being
        // written, neither is the rest of that: to begin a cut takes the only handle.
        unsafe { View::new(start, readable, layout) }
    }

    /// How many elements from the first one on are of this region.
    #[cold]
    fn readable_beside_writers(&self) -> usize {
        self.range().map_or(0, |range| range.len())
    }

    /// The elements, if they lie in row-major order.
    #[inline]
    pub fn as_slice(&self) -> Option<&[T]> {
        let range = self.range()?;
        Some(self.view().elements(range.len()))
    }

    /// The elements, if they lie in row-major order and this is the only handle to their memory.
    #[inline]
    pub fn exclusive_mut(&mut self) -> Option<&mut [T]> {
        let range = self.range()?;
        self.block.get_mut().map(|block| &mut block.as_mut_slice()[range])
    }

    /// Whether this is the only handle to its memory, and all of that.
    #[inline]
    pub fn is_sole(&self) -> bool {
        self.view.is_none() && self.block.is_only()
    }

    /// All of the memory, if this is the only handle to it, to be read and written over by one kernel.
    #[inline]
    pub fn in_out(&mut self) -> Option<InOut<'_, T>> {
        if self.view.is_some() {
            return None;
        }
        self.block.get_mut().map(|block| InOut::from(block.as_mut_room()))
    }

    /// Another handle, marked until [`Region::drop_marked`] drops it.
    #[inline]
    pub fn marked(&self) -> Self {
        Region { block: self.block.marked(), view: self.view.clone() }
    }

    /// Drops what [`Region::marked`] made.
    #[inline]
    pub fn drop_marked(self) {
        self.block.drop_marked();
    }

    /// Whether both lie in the same memory.
    #[inline]
    pub fn shares_memory(&self, other: &Self) -> bool {
        self.block.address() == other.block.address()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Beside<f32> for Nothing {
        fn retire(_: Unique<Block<f32, Self>>) {}
    }

    fn counted(shape: &[usize]) -> Region<f32, Nothing> {
        let count = shape.iter().product();
        let mut block = Block::new(Buffer::zeroed(count, count).unwrap(), Nothing);
        block.renew(&shape.into());
        block.as_mut_slice().iter_mut().enumerate().for_each(|(i, x)| *x = i as f32);
        Unique::new(block).into()
    }

    fn dims(extents: &[usize]) -> Dims {
        extents.into()
    }

    #[test]
    fn a_layout_stays_inside_of_memory() {
        let whole = counted(&[3, 4]);
        assert!(whole.with_layout(4, dims(&[2, 2]), dims(&[7, 1])).is_none());
        assert!(whole.with_layout(0, dims(&[usize::MAX, 2]), dims(&[1, usize::MAX])).is_none());
        assert!(whole.with_layout(usize::MAX, dims(&[2]), dims(&[1])).is_none());
        assert!(whole.with_layout(usize::MAX, dims(&[0, 2]), dims(&[1, 1])).is_some());
        let inside = whole.with_layout(2, dims(&[2, 2]), dims(&[6, 1])).unwrap();
        assert_eq!((inside.layout().reach(), inside.view().rest().len()), (8, 10));
    }

    #[test]
    fn a_reach_beyond_all_numbers_is_no_reach() {
        let half = 1usize << 32;
        for (shape, strides) in [
            ([half, half, 2], [half, 1, 3]),
            ([3, 2, 5], [usize::MAX, 1, 2]),
            ([3, 2, 5], [1, usize::MAX / 2, usize::MAX / 2 + 2]),
        ] {
            assert!(reach(&shape, &strides).is_none_or(|reach| reach > isize::MAX as usize));
        }
    }

    #[test]
    fn views_leave_elements_out_or_repeat_them() {
        let x = counted(&[3, 4]);
        let first = |view: &Region<f32, Nothing>| (view.layout().offset(), view.layout().reach());
        let column = x.seen(|axes| axes.select(1, 2));
        assert_eq!((first(&column), column.is_contiguous()), ((2, 9), false));
        let every_other = x.seen(|axes| axes.step(1, 2));
        assert_eq!((first(&every_other), every_other.layout().strides()), ((0, 11), &dims(&[4, 2])));
        let nothing = x.seen(|axes| axes.narrow(0, 3, 0));
        assert_eq!(first(&nothing), (0, 0));
        let repeated = column.seen(|axes| axes.expand(&dims(&[5, 3])));
        assert_eq!((first(&repeated), repeated.layout().strides()), ((2, 9), &dims(&[0, 4])));
    }

    #[test]
    #[should_panic(expected = "a slice of the axis")]
    fn a_slice_is_there() {
        counted(&[3, 4]).seen(|axes| axes.select(1, 4));
    }

    #[test]
    fn rows_that_follow_each_other_are_one_region() {
        let x = counted(&[5, 3]);
        let rows = |start, count| x.seen(|axes| axes.narrow(0, start, count));
        let parts = [rows(1, 2), rows(3, 1)];
        let both = parts[0].followed_by(parts[1..].iter()).unwrap();
        assert_eq!(both.as_slice().unwrap(), &x.as_slice().unwrap()[3..12]);
        assert!(parts[1].followed_by(parts[..1].iter()).is_none());
        assert!(parts[0].followed_by([&counted(&[1, 3])].into_iter()).is_none());
        let narrow = rows(3, 1).seen(|axes| axes.narrow(1, 0, 2));
        assert!(parts[0].followed_by([&narrow].into_iter()).is_none());
    }

    #[test]
    fn only_the_last_handle_changes_memory() {
        let mut x = counted(&[4]);
        let view = x.seen(|axes| axes.narrow(0, 1, 2));
        assert!(x.exclusive_mut().is_none() && x.in_out().is_none() && !x.is_sole());
        drop(view);
        let before = x.block().version();
        x.exclusive_mut().unwrap()[0] = 9.0;
        assert!(x.is_sole() && x.in_out().is_some() && x.block().version() > before);
    }
}
