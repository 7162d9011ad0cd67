//! Memory that is written part by part, while parts that are finished are already read.
//!
//! Cotangents of gates, or of time steps, are parts of one tensor. Who computes such a part writes it to
//! its place, so that nobody has to put the parts together. A [`Claim`] is the right to do that; what can
//! be read is made from the claim, after the write.

use smallvec::SmallVec;

use crate::memory::block::{Beside, Block};
use crate::memory::layout::Layout;
use crate::memory::region::Region;
use crate::memory::shared::Unique;
use crate::memory::view::Target;
use crate::number::Number;

/// The right to write some elements, once, before anybody reads them.
pub enum Claim<T: Number, X: Beside<T>> {
    /// All of some memory just made.
    New(Unique<Block<T, X>>),
    /// A part of memory that others hold, too.
    Part(Part<T, X>),
}

/// A part of memory that nobody reads before it is written: a region to come.
pub struct Part<T: Number, X: Beside<T>>(Region<T, X>);

impl<T: Number, X: Beside<T>> Claim<T, X> {
    /// The layout of the elements.
    #[inline]
    pub fn layout(&self) -> &Layout {
        match self {
            Claim::New(block) => block.layout(),
            Claim::Part(Part(region)) => region.layout(),
        }
    }

    /// Whether what is claimed lies in row-major order and has the extents of `other`, which does too; what
    /// is new is made like that.
    #[inline]
    pub fn lies_like(&self, other: &Region<T, X>) -> bool {
        match self {
            Claim::New(_) => true,
            Claim::Part(Part(region)) => region.lies_like(other),
        }
    }

    /// Whether `region` lies in the same memory.
    pub fn shares_memory(&self, region: &Region<T, X>) -> bool {
        matches!(self, Claim::Part(Part(part)) if part.shares_memory(region))
    }

    /// The place that a kernel writes to.
    #[inline]
    pub fn target(&mut self) -> Target<'_, T> {
        match self {
            Claim::New(block) => {
                let room = block.as_mut_room();
                let (start, writable) = (room.as_mut_ptr(), room.len());
                // SAFETY: the memory has no other handle, and this one is borrowed.
                unsafe { Target::new(start, writable, Some(block.layout())) }
            }
            Claim::Part(part) => part.target(),
        }
    }

    /// The region that has been written.
    #[inline]
    pub fn written(self) -> Region<T, X> {
        match self {
            Claim::New(block) => Region::from(block),
            Claim::Part(Part(region)) => region,
        }
    }
}

impl<T: Number, X: Beside<T>> Part<T, X> {
    fn target(&mut self) -> Target<'_, T> {
        let layout = self.0.layout();
        let writable = if layout.is_contiguous() { layout.shape().count() } else { 0 };
        // SAFETY: the first element of a region lies in its memory.
        let start = unsafe { self.0.block().to_write().add(layout.offset()) };
        // SAFETY: the part was given once, shares no element with another one, and becomes a region that is
        // read only when it ends. In row-major order its elements are the first ones from there on.
        unsafe { Target::new(start, writable, Some(layout)) }
    }
}

/// A division of something along an axis.
#[derive(Clone, Copy)]
pub struct Division<'b> {
    /// The axis that is divided.
    pub axis: usize,
    /// The beginning of each part, and the end of the last one; ascending.
    pub bounds: &'b [usize],
    /// Whether parts, of one entry each, lose the axis.
    pub unbind: bool,
}

/// A claim that is given away in parts that share no element; idle until it begins.
pub struct Cut<T: Number, X: Beside<T>> {
    /// Not to be read before all parts are finished.
    whole: Option<Region<T, X>>,
    /// Whether it is all that is being written of its memory.
    outermost: bool,
    axis: usize,
    bounds: SmallVec<[usize; 6]>,
    unbind: bool,
    given: SmallVec<[bool; 8]>,
}

impl<T: Number, X: Beside<T>> Default for Cut<T, X> {
    fn default() -> Self {
        Cut {
            whole: None,
            outermost: false,
            axis: 0,
            bounds: SmallVec::new(),
            unbind: false,
            given: SmallVec::new(),
        }
    }
}

impl<T: Number, X: Beside<T>> Cut<T, X> {
    /// Begins to give away what is claimed.
    ///
    /// # Panics
    /// If the division is not one of its axis.
    pub fn begin(&mut self, claim: Claim<T, X>, division: Division<'_>) {
        let Division { axis, bounds, unbind } = division;
        let extent = claim.layout().shape()[axis];
        let ascending =
            bounds.windows(2).all(|pair| if unbind { pair[0] + 1 == pair[1] } else { pair[0] <= pair[1] });
        assert!(ascending && bounds.last().is_some_and(|&end| end <= extent), "parts of the axis");
        self.outermost = matches!(claim, Claim::New(_));
        self.whole = Some(match claim {
            Claim::New(mut block) => {
                block.begin_cut();
                Region::from(block)
            }
            Claim::Part(Part(region)) => region,
        });
        (self.axis, self.unbind) = (axis, unbind);
        self.bounds.clear();
        self.bounds.extend_from_slice(bounds);
        self.given.clear();
        self.given.resize(bounds.len() - 1, false);
    }

    /// Lets go of what the parts are of.
    pub fn end(&mut self) {
        self.whole = None;
    }

    /// Whether the cut has begun.
    #[inline]
    pub fn has_begun(&self) -> bool {
        self.whole.is_some()
    }

    /// The claim to part `k`, unless it was given before.
    pub fn give(&mut self, k: usize) -> Option<Claim<T, X>> {
        let whole = self.whole.as_ref()?;
        if std::mem::replace(&mut self.given[k], true) {
            return None;
        }
        let (start, end) = (self.bounds[k], self.bounds[k + 1]);
        let part = whole.seen(|axes| match self.unbind {
            true => axes.select(self.axis, start),
            false => axes.narrow(self.axis, start, end - start),
        });
        Some(Claim::Part(Part(part)))
    }

    /// The region that was cut, if `parts` are all of its parts, each in its place: then all are finished.
    pub fn join<'r>(&self, mut parts: impl Iterator<Item = Option<&'r Region<T, X>>>) -> Option<Region<T, X>>
    where
        T: 'r,
        X: 'r,
    {
        let whole = self.whole.as_ref()?;
        let (first, last) = (self.bounds[0], self.bounds[self.bounds.len() - 1]);
        if (first, last) != (0, whole.layout().shape()[self.axis]) {
            return None;
        }
        for k in 0..self.given.len() {
            let part = parts.next().flatten()?;
            if !(self.given[k] && self.is_part(whole, k, part)) {
                return None;
            }
        }
        if self.outermost {
            whole.block().end_cut();
        }
        Some(whole.clone())
    }

    /// Whether a region has just the elements of part `k`.
    fn is_part(&self, whole: &Region<T, X>, k: usize, part: &Region<T, X>) -> bool {
        let (whole_layout, layout) = (whole.layout(), part.layout());
        let (start, end) = (self.bounds[k], self.bounds[k + 1]);
        let mut own = 0..layout.shape().len();
        let alike = |axis: usize, extent: usize, own: Option<usize>| {
            let stride = whole_layout.strides()[axis];
            own.is_some_and(|own| {
                layout.shape()[own] == extent && (extent <= 1 || layout.strides()[own] == stride)
            })
        };
        let mut all = whole.shares_memory(part);
        for (axis, &extent) in whole_layout.shape().iter().enumerate() {
            if axis != self.axis {
                all &= alike(axis, extent, own.next());
            } else if !self.unbind {
                all &= alike(axis, end - start, own.next());
            }
        }
        let nothing = layout.shape().contains(&0);
        let offset = whole_layout.offset() + start * whole_layout.strides()[self.axis];
        all && own.next().is_none() && (nothing || layout.offset() == offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::{Formula, Job};
    use crate::memory::buffer::AlignedBuffer;
    use crate::real::Real;

    struct Double;

    impl Formula<1, 1> for Double {
        fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
            [x + x]
        }
    }

    struct Nothing;

    impl Beside<f32> for Nothing {
        fn retire(_: Unique<Block<f32, Self>>) {}
    }

    fn new(shape: &[usize]) -> Unique<Block<f32, Nothing>> {
        let count = shape.iter().product();
        let mut block =
            Block::new(AlignedBuffer::zeroed(count, count.next_multiple_of(16)).unwrap(), Nothing);
        block.renew(&shape.into());
        Unique::new(block)
    }

    fn elements(region: &Region<f32, Nothing>) -> Vec<f32> {
        let mut out = vec![0.0; region.layout().shape().count()];
        crate::rows::copy::gather(region.view(), &mut out);
        out
    }

    fn write(claim: &mut Claim<f32, Nothing>, source: &Region<f32, Nothing>) {
        let shape = source.layout().shape();
        Job::planned(shape, [source.view()], [], [Some(claim.target())], |job| job.forward(&Double));
    }

    #[test]
    fn parts_are_written_to_their_place_while_others_are_read() {
        let mut cut = Cut::default();
        cut.begin(Claim::New(new(&[3, 4])), Division { axis: 1, bounds: &[0, 2, 4], unbind: false });
        let mut source = new(&[3, 2]);
        source.as_mut_slice().iter_mut().enumerate().for_each(|(i, x)| *x = i as f32);
        let source = Region::from(source);
        let mut write = |k: usize| {
            let mut claim = cut.give(k).unwrap();
            write(&mut claim, &source);
            assert!(cut.give(k).is_none());
            claim.written()
        };
        let first = write(0);
        assert_eq!(elements(&first), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert!(first.as_slice().is_none() && first.view().rest().is_empty());
        let second = write(1);
        assert!(cut.join([Some(&first), None].into_iter()).is_none());
        assert!(cut.join([Some(&second), Some(&first)].into_iter()).is_none());
        let whole = cut.join([Some(&first), Some(&second)].into_iter()).unwrap();
        assert_eq!(whole.as_slice().unwrap(), [0.0, 2.0, 0.0, 2.0, 4.0, 6.0, 4.0, 6.0, 8.0, 10.0, 8.0, 10.0]);
        assert!(first.view().rest().len() >= 10);
    }

    #[test]
    fn a_part_is_given_away_in_parts_in_turn() {
        let (mut steps, mut gates) = (Cut::default(), Cut::default());
        steps.begin(Claim::New(new(&[2, 1, 4])), Division { axis: 0, bounds: &[0, 1, 2], unbind: true });
        let source = Region::from(new(&[1, 2]));
        let mut finished = Vec::new();
        for step in [1, 0] {
            gates.begin(steps.give(step).unwrap(), Division { axis: 1, bounds: &[0, 2, 4], unbind: false });
            let parts = [0, 1].map(|k| {
                let mut claim = gates.give(k).unwrap();
                write(&mut claim, &source);
                claim.written()
            });
            let whole = gates.join(parts.iter().map(Some)).unwrap();
            // A step lies in order, so it can be read as a slice while the other one is yet to come.
            assert_eq!((whole.as_slice().unwrap().len(), whole.view().rest().len()), (4, 4));
            finished.push(whole);
        }
        let whole = steps.join(finished.iter().rev().map(Some)).unwrap();
        assert!(whole.view().rest().len() >= 8);
    }

    #[test]
    #[should_panic(expected = "parts of the axis")]
    fn parts_don_t_overlap() {
        let division = Division { axis: 0, bounds: &[0, 3, 2], unbind: false };
        Cut::default().begin(Claim::New(new(&[4])), division);
    }
}
