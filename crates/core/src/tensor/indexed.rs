//! Indices and ranges of several axes at once: a list of what to select and what to narrow.

use std::ops::{Bound, Range, RangeBounds, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use smallvec::SmallVec;
use wengert_kernel::memory::layout::Axes;

use super::{Element, Tensor};
use crate::base::error::{Error, Result};

/// What a place on an axis is counted with.
type Place = i128;

/// An index or a range as it was given, to be held against an extent.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Along {
    /// One place, which takes the axis away.
    At(Place),
    /// The places between two bounds.
    Between(Bound<Place>, Bound<Place>),
}

/// An index or a range of one axis, as [`Tensor::i`] takes it: `2`, `-1`, `1..3`, `1..`, `..-1`, `0..=2`,
/// `..`.
///
/// The numbers are `usize`, `isize`, `i32` or `i64`; negative ones count from the end of the axis. Which kind
/// it is may be left to run time, behind a `&dyn AxisIndex`.
///
/// ```
/// use wengert_core::{AxisIndex, Result, Tensor};
/// fn rows(x: &Tensor<i64>, which: impl AxisIndex) -> Result<Tensor<i64>> { x.i((which, ..)) }
/// let x = Tensor::from([[1i64, 2], [3, 4], [5, 6]]);
/// assert_eq!(rows(&x, -1)?.to_vec(), [5, 6]);
/// assert_eq!(rows(&x, ..2)?.to_vec(), [1, 2, 3, 4]);
/// let chosen: &dyn AxisIndex = if x.rank() == 2 { &(1..) } else { &0 };
/// assert_eq!(rows(&x, chosen)?.to_vec(), [3, 4, 5, 6]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait AxisIndex {
    #[doc(hidden)]
    fn along(&self) -> Along;
}

impl AxisIndex for RangeFull {
    fn along(&self) -> Along {
        Along::Between(Bound::Unbounded, Bound::Unbounded)
    }
}

impl<A: AxisIndex + ?Sized> AxisIndex for &A {
    fn along(&self) -> Along {
        (**self).along()
    }
}

macro_rules! ranges {
    ($number:ty; $($range:ident)*) => {$(
        impl AxisIndex for $range<$number> {
            fn along(&self) -> Along {
                let [start, end] = [self.start_bound(), self.end_bound()];
                Along::Between(start.map(|place| *place as Place), end.map(|place| *place as Place))
            }
        }
    )*};
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl AxisIndex for $number {
            fn along(&self) -> Along {
                Along::At(*self as Place)
            }
        }
        ranges!($number; Range RangeFrom RangeTo RangeInclusive RangeToInclusive);
    )*};
}

numbers!(usize isize i32 i64);

/// Indices and ranges of the first axes, as [`Tensor::i`] takes them: one [`AxisIndex`], or a tuple of up to
/// four. Axes beyond them stay as they are.
///
/// ```
/// use wengert_core::{Float, TensorIndex, Variable};
/// fn energy<T: Float>(x: &Variable<T>, of: impl TensorIndex) -> Variable<T> { x.i(of).square().sum() }
/// let x = Variable::new(wengert_core::Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]));
/// assert_eq!(energy(&x, (.., 1)).item()?, 20.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait TensorIndex {
    #[doc(hidden)]
    fn axes(&self) -> SmallVec<[Along; 4]>;
}

impl<A: AxisIndex> TensorIndex for A {
    fn axes(&self) -> SmallVec<[Along; 4]> {
        [self.along()].into_iter().collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+);)*) => {$(
        impl<$($name: AxisIndex),+> TensorIndex for ($($name,)+) {
            fn axes(&self) -> SmallVec<[Along; 4]> {
                #[allow(non_snake_case, reason = "a part of the tuple has the name of its type")]
                let ($($name,)+) = self;
                [$($name.along()),+].into_iter().collect()
            }
        }
    )*};
}

tuples! { (A); (A B); (A B C); (A B C D); }

/// One view on the way to what is indexed; the axis is that of what the steps before it left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Select { axis: usize, index: usize },
    Narrow { axis: usize, start: usize, length: usize },
}

/// The views that lead to what `index` names of a tensor of `shape`; none where it names all of it.
///
/// # Errors
/// If there are more indices than axes, or one lies outside its axis.
pub(crate) fn steps(index: &impl TensorIndex, shape: &[usize]) -> Result<SmallVec<[Step; 4]>> {
    let along = index.axes();
    if along.len() > shape.len() {
        let expected = format!("at most {} indices for shape {shape:?}", shape.len());
        return Err(Error::shape("i", expected, along.len()));
    }
    let (mut steps, mut axis) = (SmallVec::new(), 0);
    for (dim, (along, &extent)) in along.into_iter().zip(shape).enumerate() {
        let refused = |argument, got: String| {
            let expected = format!("inside the {extent} places of axis {dim} in shape {shape:?}");
            Error::argument("i", argument, expected, got)
        };
        match along {
            Along::At(place) => {
                let index = resolved(place, extent, extent as Place - 1);
                let index = index.ok_or_else(|| refused("every index", place.to_string()))?;
                steps.push(Step::Select { axis, index });
            }
            Along::Between(start, end) => {
                let places = between(start, end, extent);
                let (start, end) = places.ok_or_else(|| refused("every range", printed(start, end)))?;
                if (start, end) != (0, extent) {
                    steps.push(Step::Narrow { axis, start, length: end - start });
                }
                axis += 1;
            }
        }
    }
    Ok(steps)
}

/// The place that a number names, from the end if it is negative; none if that is not in `0..=last`.
fn resolved(place: Place, extent: usize, last: Place) -> Option<usize> {
    let place = if place < 0 { place + extent as Place } else { place };
    (0..=last).contains(&place).then_some(place as usize)
}

/// The first place of a range and that behind its last, if they are on the axis and in this order.
fn between(start: Bound<Place>, end: Bound<Place>, extent: usize) -> Option<(usize, usize)> {
    let last = extent as Place;
    let start = match start {
        Bound::Included(place) => resolved(place, extent, last)?,
        Bound::Excluded(place) => resolved(place, extent, last - 1)? + 1,
        Bound::Unbounded => 0,
    };
    let end = match end {
        Bound::Included(place) => resolved(place, extent, last - 1)? + 1,
        Bound::Excluded(place) => resolved(place, extent, last)?,
        Bound::Unbounded => extent,
    };
    (start <= end).then_some((start, end))
}

/// A range as it was written.
fn printed(start: Bound<Place>, end: Bound<Place>) -> String {
    let start = match start {
        Bound::Included(place) | Bound::Excluded(place) => place.to_string(),
        Bound::Unbounded => String::new(),
    };
    match end {
        Bound::Included(place) => format!("{start}..={place}"),
        Bound::Excluded(place) => format!("{start}..{place}"),
        Bound::Unbounded => format!("{start}.."),
    }
}

impl<T: Element> Tensor<T> {
    /// The part that indices and ranges of the first axes name, as a view: an index takes its axis away, a
    /// range keeps it (`x[..., 2:5, 0]` in PyTorch). Negative numbers count from the end.
    ///
    /// Unlike PyTorch's, a range that goes beyond its axis is refused, not cut, as is one whose end comes
    /// before its start. For steps other than 1 there is [`Tensor::slice`], for a tensor of indices
    /// [`Variable::index_select`](crate::Variable::index_select).
    ///
    /// # Errors
    /// If there are more indices than axes, or an index or a range is not on its axis.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from([[1i64, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.i(1)?.to_vec(), [4, 5, 6]);
    /// assert_eq!(x.i((.., -1))?.to_vec(), [3, 6]);
    /// assert_eq!(x.i((0..1, 1..))?, Tensor::from([[2i64, 3]]));
    /// let error = x.i((.., 1..4)).unwrap_err().to_string();
    /// assert_eq!(error, "i: every range must be inside the 3 places of axis 1 in shape [2, 3], got 1..4");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "index")]
    #[doc(alias = "getitem")]
    #[doc(alias = "slice")]
    pub fn i(&self, index: impl TensorIndex) -> Result<Self> {
        let steps = steps(&index, self.shape())?;
        Ok(self.seen(|axes| steps.iter().for_each(|step| step.see(axes))))
    }
}

impl Step {
    fn see(&self, axes: &mut Axes<'_>) {
        match *self {
            Step::Select { axis, index } => axes.select(axis, index),
            Step::Narrow { axis, start, length } => axes.narrow(axis, start, length),
        }
    }
}
