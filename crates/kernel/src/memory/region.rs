//! Memory together with where in it elements lie: what may be read, and by whom it may be written.
//!
//! A [`Block`] is memory with what is kept beside it. Its only handle may change it; once it is shared,
//! [`Region`]s of it are read. The one way to write memory that others hold is a
//! [`Cut`](crate::memory::cut::Cut), which gives each of its parts once, and a part is a region only when
//! it is finished. So nobody writes the elements of a region for as long as there is a handle to it: a
//! region that is made from another one shows elements of that one, or was checked to lie in memory of
//! which nothing is being written.

use super::block::{Beside, Block};
use super::dims::Dims;
use super::layout::{Axes, Layout, acquire_view, reach};
use super::shared::{Shared, Unique};
use super::view::{InOut, View};
use crate::number::Number;

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
    /// The memory that the region lies in.
    #[inline]
    pub fn block(&self) -> &Shared<Block<T, X>> {
        &self.block
    }

    /// The layout of the region in its memory.
    #[inline]
    pub fn layout(&self) -> &Layout {
        match &self.view {
            Some(view) => view,
            None => &self.block.whole,
        }
    }

    /// Whether the region is all of its memory, in row-major order.
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

    /// A view of the elements, or of some of them, as `change` makes it.
    #[inline]
    pub fn seen(&self, change: impl FnOnce(&mut Axes<'_>)) -> Self {
        let mut view = acquire_view();
        view.clone_from(self.layout());
        change(&mut Axes(&mut view));
        self.through(view)
    }

    /// [`Region::seen`] for a `change` that may refuse.
    ///
    /// # Errors
    /// What `change` refuses.
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

    /// A region with any other layout whose elements may certainly be read: inside the memory, if nothing of
    /// that is being written, or inside this region, if it lies in row-major order.
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
        // SAFETY: elements of a region are not written while there is a handle. If nothing of its memory is
        // being written, neither is the rest of that: to begin a cut takes the only handle.
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
        let block = self.block.get_mut()?;
        block.changing();
        Some(&mut block.as_mut_slice()[range])
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
    use crate::memory::buffer::AlignedBuffer;

    struct Nothing;

    impl Beside<f32> for Nothing {
        fn retire(_: Unique<Block<f32, Self>>) {}
    }

    fn counted(shape: &[usize]) -> Region<f32, Nothing> {
        let count = shape.iter().product();
        let mut block = Block::new(AlignedBuffer::zeroed(count, count).unwrap(), Nothing);
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
