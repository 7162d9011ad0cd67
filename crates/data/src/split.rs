//! Datasets cut into parts.

use std::sync::Arc;

use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Error, Result};

use crate::adapters::Subset;
use crate::dataset::Dataset;
use crate::random::shuffled;

/// The sizes of `N` parts: numbers of samples, or shares of all.
///
/// A share is rounded down, and if the shares are everything together, the samples that are left go to the
/// first parts, one each, as `torch.utils.data.random_split` does it.
///
/// ```
/// use wengert_data::{Dataset, VecDataset, time_split};
/// let data = || VecDataset::new((0..10i64).collect());
/// let lengths = |[a, b, c]: [wengert_data::Subset<_>; 3]| [a.len(), b.len(), c.len()];
/// assert_eq!(lengths(time_split(data(), [5, 3, 1], 0)?), [5, 3, 1]);
/// assert_eq!(lengths(time_split(data(), [0.75, 0.15, 0.1], 0)?), [8, 1, 1]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Parts<const N: usize> {
    /// Numbers of samples; those that are left over are in no part.
    Lengths([usize; N]),
    /// Shares of all, at most 1 together.
    Shares([f64; N]),
}

impl<const N: usize> From<[usize; N]> for Parts<N> {
    fn from(lengths: [usize; N]) -> Self {
        Parts::Lengths(lengths)
    }
}

impl<const N: usize> From<[f64; N]> for Parts<N> {
    fn from(shares: [f64; N]) -> Self {
        Parts::Shares(shares)
    }
}

impl<const N: usize> Parts<N> {
    /// The parts' lengths, of `len` samples together at most.
    fn lengths(self, operation: &'static str, len: usize) -> Result<[usize; N]> {
        let lengths = match self {
            Parts::Lengths(lengths) => lengths,
            Parts::Shares(shares) => of_shares(operation, shares, len)?,
        };
        match lengths.iter().try_fold(0usize, |sum, &part| sum.checked_add(part)) {
            Some(sum) if sum <= len => Ok(lengths),
            _ => {
                let expected = format!("at most {len} together, the samples there are");
                Err(Error::argument(operation, "parts", expected, format!("{lengths:?}")))
            }
        }
    }
}

fn of_shares<const N: usize>(operation: &'static str, shares: [f64; N], len: usize) -> Result<[usize; N]> {
    const NEARLY: f64 = 1e-9;
    let sum: f64 = shares.iter().sum();
    if shares.iter().any(|share| !(0.0..=1.0).contains(share)) || sum > 1.0 + NEARLY {
        let got = format!("{shares:?}");
        return Err(Error::argument(operation, "parts", "shares in [0, 1], at most 1 together", got));
    }
    let mut lengths = shares.map(|share| (len as f64 * share).floor() as usize);
    if sum > 1.0 - NEARLY {
        let left = len.saturating_sub(lengths.iter().sum());
        (0..left).for_each(|part| lengths[part % N] += 1);
    }
    Ok(lengths)
}

/// Parts of a dataset with samples drawn by a seed, none in two (`torch.utils.data.random_split`).
///
/// # Errors
/// If the parts are larger than the dataset, or shares that are no shares.
///
/// ```
/// use wengert_data::{Dataset, VecDataset, random_split};
/// let [train, valid] = random_split(VecDataset::new((0..10i64).collect()), [0.8, 0.2], 42)?;
/// assert_eq!((train.len(), valid.len()), (8, 2));
/// let error = random_split(VecDataset::new(vec![1i64]), [1, 1], 42).unwrap_err().to_string();
/// assert_eq!(error, "random_split: parts must be at most 1 together, the samples there are, got [1, 1]");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "train_test_split")]
pub fn random_split<D: Dataset, const N: usize>(
    dataset: D,
    parts: impl Into<Parts<N>>,
    seed: u64,
) -> Result<[Subset<D>; N]> {
    let lengths = parts.into().lengths("random_split", dataset.len())?;
    or_refused("random_split", || {
        let order = shuffled(seed, 0, dataset.len());
        cut(dataset, lengths, 0, |place| order[place])
    })
}

/// Parts of a dataset one behind the other in its own order, which is that of time, with `gap` samples left
/// out between two of them, so that windows of one part need not reach into the next.
///
/// # Errors
/// If the parts and the gaps are larger than the dataset, or shares that are no shares.
///
/// ```
/// use wengert_data::{Dataset, VecDataset, time_split};
/// let [train, valid] = time_split(VecDataset::new((0..10i64).collect()), [6, 2], 1)?;
/// assert_eq!(train.indices(), [0, 1, 2, 3, 4, 5]);
/// assert_eq!(valid.indices(), [7, 8]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "TimeSeriesSplit")]
pub fn time_split<D: Dataset, const N: usize>(
    dataset: D,
    parts: impl Into<Parts<N>>,
    gap: usize,
) -> Result<[Subset<D>; N]> {
    let gaps = gap.saturating_mul(N.saturating_sub(1));
    let Some(left) = dataset.len().checked_sub(gaps) else {
        let expected = format!("at most {} together, the samples there are", dataset.len());
        return Err(Error::argument("time_split", "gaps", expected, gaps));
    };
    let lengths = parts.into().lengths("time_split", left)?;
    or_refused("time_split", || cut(dataset, lengths, gap, |place| place))
}

/// Parts one behind the other of the places that `order` gives.
fn cut<D: Dataset, const N: usize>(
    dataset: D,
    lengths: [usize; N],
    gap: usize,
    order: impl Fn(usize) -> usize,
) -> Result<[Subset<D>; N]> {
    let dataset = Arc::new(dataset);
    let mut start = 0;
    let parts = lengths.map(|length| {
        let mut places = vec_of(length);
        places.extend((start..start + length).map(&order));
        start += length + gap;
        places
    });
    let mut subsets = Vec::with_capacity(N);
    for places in parts {
        subsets.push(Subset::new(Arc::clone(&dataset), places)?);
    }
    Ok(subsets.try_into().unwrap_or_else(|_| unreachable!("one for each of the parts")))
}
