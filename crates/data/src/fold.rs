//! Cross-validation.

use std::sync::Arc;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Result};

use crate::adapters::Subset;
use crate::dataset::Dataset;
use crate::random::order;

/// Cross-validation in `k` parts: each is left out once, to be validated on
/// (`sklearn.model_selection.KFold`).
///
/// ```
/// use wengert_data::{Dataset, KFold, VecDataset};
/// for (train, valid) in KFold::new(3)?.shuffle(0).split(VecDataset::new((0..10i64).collect()))? {
///     assert_eq!(train.len() + valid.len(), 10);
/// }
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct KFold {
    parts: usize,
    seed: Option<u64>,
}

impl KFold {
    /// `k` parts of samples that lie side by side; the first are larger by one if there is a rest.
    ///
    /// # Errors
    /// If `k` is below 2.
    pub fn new(k: usize) -> Result<Self> {
        if k < 2 {
            return Err(Error::argument("KFold", "k", "at least 2", k));
        }
        Ok(KFold { parts: k, seed: None })
    }

    /// Has the samples of each part drawn by a seed.
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The samples outside each part, to train on, and those in it.
    ///
    /// # Errors
    /// If there are fewer samples than parts.
    pub fn split<D: Dataset>(&self, dataset: D) -> Result<Folds<D>> {
        let len = dataset.len();
        if len < self.parts {
            return Err(Error::argument(
                "KFold",
                "k",
                format!("at most {len}, the samples there are"),
                self.parts,
            ));
        }
        let order = or_refused("KFold", || Ok(order(len, self.seed)))?;
        Ok(Folds { dataset: Arc::new(dataset), order, parts: self.parts, next: 0 })
    }
}

/// The pairs of a training and a validation part, from [`KFold::split`].
#[derive(Debug)]
pub struct Folds<D> {
    dataset: Arc<D>,
    order: Vec<usize>,
    parts: usize,
    next: usize,
}

impl<D: Dataset> Iterator for Folds<D> {
    type Item = (Subset<D>, Subset<D>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.parts {
            return None;
        }
        let (size, larger) = (self.order.len() / self.parts, self.order.len() % self.parts);
        let start = |part: usize| part * size + part.min(larger);
        let valid = start(self.next)..start(self.next + 1);
        self.next += 1;
        // In the dataset's order, which is the easier one to read from a disk.
        let subset = |mut indices: Vec<usize>| {
            indices.sort_unstable();
            Subset::new(Arc::clone(&self.dataset), indices).expect("places of the dataset")
        };
        let train = [&self.order[..valid.start], &self.order[valid.end..]].concat();
        Some((subset(train), subset(self.order[valid].to_vec())))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.parts - self.next;
        (left, Some(left))
    }
}

impl<D: Dataset> ExactSizeIterator for Folds<D> {}
