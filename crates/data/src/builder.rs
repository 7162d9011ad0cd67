//! What a loader can be told.

use std::sync::{Arc, OnceLock};

use wengert_core::{Error, Result};

use crate::collate::{Collate, Stacked};
use crate::dataset::Dataset;
use crate::loader::DataLoader;
use crate::plan::Settings;

/// The settings of a [`DataLoader`], from [`DataLoader::builder`].
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{DataLoader, TensorDataset};
/// let data = || TensorDataset::new(Tensor::<f32>::zeros([10, 2]));
/// let loader = DataLoader::builder(data()?).batch_size(4).shuffle(7).drop_last(true).prefetch(2).build()?;
/// assert_eq!(loader.len(), 2);
/// let error = DataLoader::builder(data()?).batch_size(0).build().err().unwrap();
/// assert_eq!(error.to_string(), "DataLoader: batch_size must be at least 1, got 0");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct DataLoaderBuilder<D, C = Stacked> {
    dataset: D,
    collate: C,
    settings: Settings,
    ahead: usize,
}

const NAME: &str = "DataLoader";

impl<D: Dataset> DataLoaderBuilder<D> {
    pub(crate) fn new(dataset: D) -> Self {
        let settings =
            Settings { batch_size: 1, shuffle: false, drop_last: false, seed: 0, lengths: None, pool: 100 };
        DataLoaderBuilder { dataset, collate: Stacked, settings, ahead: 0 }
    }
}

impl<D: Dataset, C> DataLoaderBuilder<D, C> {
    /// How many samples a batch has; default 1.
    pub fn batch_size(mut self, samples: usize) -> Self {
        self.settings.batch_size = samples;
        self
    }

    /// Has the samples of each epoch in an order of its own, which the seed and the epoch's number decide;
    /// by default they are in the dataset's order.
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.settings.shuffle = true;
        self.seed(seed)
    }

    /// The seed of the orders, and of the generator that each batch gets for what its samples draw; default
    /// 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Whether the samples are left out that don't fill a last batch; default no.
    pub fn drop_last(mut self, on: bool) -> Self {
        self.settings.drop_last = on;
        self
    }

    /// Has batches of samples of like length: `lengths` are those of all samples. The samples are sorted by
    /// length among those of [`bucket_pool`](Self::bucket_pool) batches and cut into batches, whose order is
    /// drawn anew if they are shuffled.
    #[doc(alias = "bucket_by_sequence_length")]
    #[doc(alias = "BucketIterator")]
    pub fn bucket_by_length(mut self, lengths: Vec<usize>) -> Self {
        self.settings.lengths = Some(lengths.into());
        self
    }

    /// How many batches samples are sorted among, of those [by length](Self::bucket_by_length); default 100.
    pub fn bucket_pool(mut self, batches: usize) -> Self {
        self.settings.pool = batches;
        self
    }

    /// How many batches a thread prepares ahead; default 0, which takes none. Order and bits are the same.
    #[doc(alias = "prefetch_factor")]
    #[doc(alias = "num_workers")]
    pub fn prefetch(mut self, batches: usize) -> Self {
        self.ahead = batches;
        self
    }

    /// How samples become a batch; by default they are [`Stacked`].
    ///
    /// ```
    /// use wengert_data::{DataLoader, VecDataset};
    /// let data = VecDataset::new(vec![3i64, 4, 5]);
    /// let sum = |samples: Vec<_>| Ok(samples.into_iter().sum::<i64>());
    /// let loader = DataLoader::builder(data).batch_size(2).collate(sum).build()?;
    /// assert_eq!(loader.iter().collect::<Result<Vec<_>, _>>()?, [7, 5]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn collate<B: Collate<D::Item>>(self, collate: B) -> DataLoaderBuilder<D, B> {
        let DataLoaderBuilder { dataset, settings, ahead, .. } = self;
        DataLoaderBuilder { dataset, collate, settings, ahead }
    }

    /// The loader, at the start of epoch 0.
    ///
    /// # Errors
    /// If the dataset is empty, the batch size or the pool is 0, there is not one length for each sample, or
    /// the last batch is to be dropped and there is no other.
    pub fn build(self) -> Result<DataLoader<D, C>>
    where
        C: Collate<D::Item>,
    {
        let DataLoaderBuilder { dataset, collate, settings, ahead } = self;
        check(&settings, dataset.len())?;
        Ok(DataLoader {
            dataset: Arc::new(dataset),
            collate: Arc::new(collate),
            settings,
            ahead,
            position: Arc::default(),
            content: OnceLock::new(),
        })
    }
}

fn check(settings: &Settings, len: usize) -> Result<()> {
    let Settings { batch_size, drop_last, lengths, pool, .. } = settings;
    if len == 0 {
        return Err(Error::shape(NAME, "a dataset of at least 1 sample", len));
    }
    if *batch_size == 0 {
        return Err(Error::argument(NAME, "batch_size", "at least 1", batch_size));
    }
    if *drop_last && *batch_size > len {
        let expected = format!("at most {len}, the samples there are, if the last batch is dropped");
        return Err(Error::argument(NAME, "batch_size", expected, batch_size));
    }
    if *pool == 0 {
        return Err(Error::argument(NAME, "bucket_pool", "at least 1", pool));
    }
    match lengths {
        Some(lengths) if lengths.len() != len => {
            let expected = format!("{len}, one for each sample");
            Err(Error::argument(NAME, "the number of lengths", expected, lengths.len()))
        }
        _ => Ok(()),
    }
}
