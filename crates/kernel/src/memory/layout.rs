//! Where elements lie in memory, and how else they can be seen.

use std::cell::RefCell;

use super::dims::Dims;
use super::shared::{Retire, Unique};

/// The way elements lie in memory: from the first one on, how many along each axis, and how far they are
/// apart.
#[derive(Default)]
pub struct Layout {
    pub(super) offset: usize,
    pub(super) shape: Dims,
    pub(super) strides: Dims,
}

impl Layout {
    /// The layout of elements of these extents and strides, of which the first lies at `offset`.
    #[cfg(test)]
    pub fn new(offset: usize, shape: Dims, strides: Dims) -> Self {
        assert_eq!(shape.len(), strides.len(), "an axis has an extent and a stride");
        Layout { offset, shape, strides }
    }

    /// Row-major elements of these extents.
    pub(super) fn row_major(shape: Dims) -> Self {
        Layout { offset: 0, strides: shape.row_major(), shape }
    }

    /// Becomes that of row-major elements of these extents.
    pub(super) fn set_row_major(&mut self, shape: &Dims) {
        self.shape.clone_from(shape);
        self.strides.set_row_major(shape);
    }

    /// The layout of a view of row-major elements of extents `base`, which `change` makes.
    ///
    /// # Errors
    /// What `change` refuses.
    pub fn of_view<E>(base: Dims, change: impl FnOnce(&mut Axes<'_>) -> Result<(), E>) -> Result<Self, E> {
        let mut layout = Layout::row_major(base);
        change(&mut Axes(&mut layout))?;
        layout.settle();
        Ok(layout)
    }

    /// Where there are no elements the offset may lead outside.
    pub(super) fn settle(&mut self) {
        if self.shape.contains(&0) {
            self.offset = 0;
        }
    }

    /// The place of the first element in the memory.
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
    pub(super) fn clone_from(&mut self, from: &Layout) {
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

/// How many elements of memory lie from the first one to the last; none if they are more than can be
/// counted.
#[inline]
pub(super) fn reach(shape: &[usize], strides: &[usize]) -> Option<usize> {
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
pub(super) fn acquire_view() -> Unique<Layout> {
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

/// A view that is being made of another one's layout: each change leaves elements out, repeats them or
/// names them anew.
pub struct Axes<'l>(pub(super) &'l mut Layout);

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
            // Of a single entry there is no next one that the stride, which may be too large for a number,
            // would lead to.
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
