//! Which steps of a padded batch count.

use wengert_core::__private::vec_of;
use wengert_core::{Error, Result, Tensor};

use crate::sequence::{BatchLayout, check_lengths, first_times, listed};

/// The steps of a batch that count.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Valid<'v> {
    /// The number of steps of each sample, from the first one on; 0 is allowed.
    Lengths(&'v [usize]),
    /// Whether each step of each sample counts, in the layout of the input's first axes.
    Mask(&'v Tensor<bool>),
}

impl<'v> From<&'v [usize]> for Valid<'v> {
    fn from(lengths: &'v [usize]) -> Self {
        Valid::Lengths(lengths)
    }
}

impl<'v, const N: usize> From<&'v [usize; N]> for Valid<'v> {
    fn from(lengths: &'v [usize; N]) -> Self {
        Valid::Lengths(lengths)
    }
}

impl<'v> From<&'v Vec<usize>> for Valid<'v> {
    fn from(lengths: &'v Vec<usize>) -> Self {
        Valid::Lengths(lengths)
    }
}

impl<'v> From<&'v Tensor<bool>> for Valid<'v> {
    fn from(mask: &'v Tensor<bool>) -> Self {
        Valid::Mask(mask)
    }
}

impl Valid<'_> {
    /// The times that count, for each sample. What the allocator refuses unwinds.
    pub(super) fn times(&self, name: &'static str, layout: BatchLayout) -> Result<Vec<Vec<usize>>> {
        match self {
            Valid::Lengths(lengths) => {
                check_lengths(name, lengths, layout)?;
                Ok(listed(lengths.iter().map(|&length| first_times(length))))
            }
            Valid::Mask(mask) => {
                let expected = layout.shape();
                if mask.shape() != expected && !(layout.batch == 1 && mask.shape() == [layout.steps]) {
                    let expected = format!("a mask of shape {expected:?}");
                    return Err(Error::shape(name, expected, format!("{:?}", mask.shape())));
                }
                let valid = mask.to_vec();
                let of = |n| {
                    let counts = || (0..layout.steps).filter(|&t| valid[layout.place(t, n)]);
                    let mut times = vec_of(counts().count());
                    times.extend(counts());
                    times
                };
                Ok(listed((0..layout.batch).map(of)))
            }
        }
    }
}
