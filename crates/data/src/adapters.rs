//! Datasets made of others.

use std::sync::Arc;

use wengert_core::{Error, Result};

use crate::dataset::{Dataset, check_index};
use crate::fingerprint::Fingerprint;

/// A dataset whose samples have gone through a function, from [`Dataset::map`].
#[derive(Clone, Debug)]
pub struct Map<D, F> {
    dataset: D,
    function: F,
}

impl<D, F> Map<D, F> {
    pub(crate) fn new(dataset: D, function: F) -> Self {
        Map { dataset, function }
    }
}

impl<D: Dataset, U, F: Fn(D::Item) -> Result<U>> Dataset for Map<D, F> {
    type Item = U;

    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn get(&self, index: usize) -> Result<U> {
        (self.function)(self.dataset.get(index)?)
    }

    fn fingerprint(&self) -> Fingerprint {
        self.dataset.fingerprint()
    }
}

/// Pairs of the samples of two datasets, from [`Dataset::zip`].
#[derive(Clone, Debug)]
pub struct Zip<D, E> {
    first: D,
    second: E,
}

impl<D: Dataset, E: Dataset> Zip<D, E> {
    pub(crate) fn new(first: D, second: E) -> Result<Self> {
        if first.len() != second.len() {
            let expected = format!("{} samples in both", first.len());
            return Err(Error::shape("zip", expected, format!("{} in the second", second.len())));
        }
        Ok(Zip { first, second })
    }
}

impl<D: Dataset, E: Dataset> Dataset for Zip<D, E> {
    type Item = (D::Item, E::Item);

    fn len(&self) -> usize {
        self.first.len()
    }

    fn get(&self, index: usize) -> Result<Self::Item> {
        Ok((self.first.get(index)?, self.second.get(index)?))
    }

    fn fingerprint(&self) -> Fingerprint {
        let (first, second) = (self.first.fingerprint(), self.second.fingerprint());
        Fingerprint::new("zip").number(first.value()).number(second.value())
    }
}

/// Some samples of a dataset, which it shares with other parts (`torch.utils.data.Subset`).
///
/// ```
/// use wengert_data::{Dataset, VecDataset, random_split};
/// let [train, valid] = random_split(VecDataset::new(vec![3i64, 4, 5]), [2, 1], 0)?;
/// assert_eq!((train.len(), valid.indices().len()), (2, 1));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Subset<D> {
    dataset: Arc<D>,
    indices: Vec<usize>,
}

impl<D> Clone for Subset<D> {
    fn clone(&self) -> Self {
        Subset { dataset: Arc::clone(&self.dataset), indices: self.indices.clone() }
    }
}

impl<D: Dataset> Subset<D> {
    pub(crate) fn new(dataset: Arc<D>, indices: Vec<usize>) -> Result<Self> {
        let len = dataset.len();
        indices.iter().try_for_each(|&index| check_index("Subset", index, len))?;
        Ok(Subset { dataset, indices })
    }

    /// The places of the samples in the whole dataset.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// The whole dataset.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Item = D::Item;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn get(&self, index: usize) -> Result<D::Item> {
        check_index("Subset", index, self.len())?;
        self.dataset.get(self.indices[index])
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new("subset").number(self.dataset.fingerprint().value()).with(&self.indices)
    }
}
