//! Which steps of a padded batch count.

use wengert_core::__private::or_refused;
use wengert_core::{Error, Result, Tensor};

use crate::sequence::{BatchLayout, check_lengths, first_times};

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
    /// The times that count, for each sample.
    pub(super) fn times(&self, name: &'static str, layout: BatchLayout) -> Result<Vec<Vec<usize>>> {
        match self {
            Valid::Lengths(lengths) => {
                check_lengths(name, lengths, layout)?;
                or_refused(name, || Ok(lengths.iter().map(|&length| first_times(length)).collect()))
            }
            Valid::Mask(mask) => {
                let expected = layout.shape();
                if mask.shape() != expected && !(layout.batch == 1 && mask.shape() == [layout.steps]) {
                    let expected = format!("a mask of shape {expected:?}");
                    return Err(Error::shape(name, expected, format!("{:?}", mask.shape())));
                }
                let valid = mask.to_vec();
                let of = |n| (0..layout.steps).filter(|&t| valid[layout.place(t, n)]).collect();
                Ok((0..layout.batch).map(of).collect())
            }
        }
    }
}
