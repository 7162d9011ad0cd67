//! Batches, epoch by epoch.

use std::sync::{Arc, Mutex, OnceLock};

use wengert_core::Result;

use crate::builder::DataLoaderBuilder;
use crate::collate::{Collate, Stacked};
use crate::dataset::Dataset;
use crate::fingerprint::Fingerprint;
use crate::plan::{Plan, Settings};
use crate::position::{Position, locked};
use crate::prefetch::Prefetch;
use crate::random::seeded;

/// Batches of a dataset's samples, epoch by epoch (`torch.utils.data.DataLoader`, and torchdata's
/// `StatefulDataLoader`).
///
/// A loader is at a position, an epoch and a batch in it. [`iter`](DataLoader::iter) gives the batches from
/// there to the end of the epoch, and each that is taken moves the position on; behind the last it is the
/// start of the next epoch. So a loop that was left goes on where it was, and a position that was saved
/// ([`Stateful`](wengert_core::Stateful)) in the middle of an epoch as well.
///
/// What a sample draws from this thread's generator comes from a stream of its batch's own: it is the same
/// prepared ahead or not, after a resumption or in one go, and the loop's own draws are as without it.
///
/// ```
/// use wengert_core::{Stateful, Tensor};
/// use wengert_data::{DataLoader, TensorDataset};
/// let data = TensorDataset::new((Tensor::<f32>::randn([10, 3]), Tensor::<i64>::zeros([10])))?;
/// let mut loader = DataLoader::builder(data).batch_size(4).shuffle(0).build()?;
/// while loader.epoch() < 2 {
///     for batch in &loader {
///         let (x, y) = batch?;
///         assert_eq!(x.shape()[0], y.shape()[0]);
///         // .. a step of training, and now and then:
///         let _checkpoint = loader.state_dict();
///     }
/// }
/// loader.set_epoch(0);
/// assert_eq!((loader.len(), loader.iter().len()), (3, 3));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "StatefulDataLoader")]
#[derive(Debug)]
pub struct DataLoader<D, C = Stacked> {
    pub(crate) dataset: Arc<D>,
    pub(crate) collate: Arc<C>,
    pub(crate) settings: Settings,
    pub(crate) ahead: usize,
    /// Moved on by the iterators as well, which do not borrow the loader.
    pub(crate) position: Arc<Mutex<Position>>,
    pub(crate) content: OnceLock<Fingerprint>,
}

impl<D: Dataset> DataLoader<D> {
    /// Settings of a loader of this dataset, which it takes over; one that is used elsewhere as well is given
    /// as an [`Arc`].
    pub fn builder(dataset: D) -> DataLoaderBuilder<D> {
        DataLoaderBuilder::new(dataset)
    }
}

impl<D: Dataset, C> DataLoader<D, C> {
    /// How many batches an epoch has, at least one.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.settings.batches(self.dataset.len())
    }

    /// The dataset.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }

    /// The number of the epoch that the loader is in, from 0.
    pub fn epoch(&self) -> u64 {
        locked(&self.position).epoch
    }

    /// How many batches of this epoch have been taken.
    pub fn batch(&self) -> usize {
        locked(&self.position).batch
    }

    /// Moves to the start of an epoch.
    pub fn set_epoch(&mut self, epoch: u64) {
        *locked(&self.position) = Position { epoch, batch: 0 };
    }

    pub(crate) fn plan(&self, epoch: u64) -> Plan {
        Plan::of(&self.settings, self.dataset.len(), epoch)
    }
}

/// The bounds are those of a thread that prepares batches ahead.
impl<D, C> DataLoader<D, C>
where
    D: Dataset + Send + Sync + 'static,
    C: Collate<D::Item, Batch: Send> + Send + Sync + 'static,
{
    /// The batches from the loader's position to the end of the epoch. The iterator does not borrow the
    /// loader: a loop over it may save the whole run, the loader in it, at any batch.
    ///
    /// A sample that can't be got makes its batch an error; the next one follows it all the same. If two
    /// iterators are used at once, the position is that of the one that moved last.
    ///
    /// # Panics
    /// Where a dataset or a collation does, also if it did so on a thread; inside the closure of
    /// [`with_generator`](wengert_core::with_generator), as batches have generators of their own.
    pub fn iter(&self) -> Batches<D, C> {
        let Position { epoch, batch } = *locked(&self.position);
        let prepare = Prepare {
            dataset: Arc::clone(&self.dataset),
            collate: Arc::clone(&self.collate),
            plan: self.plan(epoch),
            seed: self.settings.seed,
            epoch,
            next: batch,
        };
        let source = match self.ahead {
            0 => Source::Here(prepare),
            ahead => Source::Ahead(Prefetch::new(prepare, ahead)),
        };
        Batches { source, position: Arc::clone(&self.position), epoch, taken: batch }
    }
}

impl<D, C> IntoIterator for &DataLoader<D, C>
where
    D: Dataset + Send + Sync + 'static,
    C: Collate<D::Item, Batch: Send> + Send + Sync + 'static,
{
    type Item = Result<C::Batch>;
    type IntoIter = Batches<D, C>;

    fn into_iter(self) -> Batches<D, C> {
        self.iter()
    }
}

/// Makes the batches of an epoch.
struct Prepare<D, C> {
    dataset: Arc<D>,
    collate: Arc<C>,
    plan: Plan,
    seed: u64,
    epoch: u64,
    next: usize,
}

impl<D: Dataset, C: Collate<D::Item>> Iterator for Prepare<D, C> {
    type Item = Result<C::Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.next;
        if batch >= self.plan.len() {
            return None;
        }
        self.next += 1;
        let make = || {
            let samples = self.plan.batch(batch).iter().map(|&sample| self.dataset.get(sample));
            self.collate.collate(samples.collect::<Result<_>>()?)
        };
        Some(seeded(self.seed, self.epoch, batch, make))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.plan.len() - self.next;
        (left, Some(left))
    }
}

impl<D: Dataset, C: Collate<D::Item>> ExactSizeIterator for Prepare<D, C> {}

/// Where batches are made.
enum Source<D: Dataset, C: Collate<D::Item>> {
    Here(Prepare<D, C>),
    Ahead(Prefetch<Result<C::Batch>>),
}

/// The batches from a loader's position to the end of the epoch, from [`DataLoader::iter`]. Their number is
/// known, so that a progress bar is one line.
pub struct Batches<D: Dataset, C: Collate<D::Item>> {
    source: Source<D, C>,
    position: Arc<Mutex<Position>>,
    epoch: u64,
    taken: usize,
}

impl<D: Dataset, C: Collate<D::Item>> Iterator for Batches<D, C> {
    type Item = Result<C::Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match &mut self.source {
            Source::Here(prepare) => prepare.next(),
            Source::Ahead(prefetch) => prefetch.next(),
        }?;
        self.taken += 1;
        *locked(&self.position) = match self.len() {
            0 => Position { epoch: self.epoch + 1, batch: 0 },
            _ => Position { epoch: self.epoch, batch: self.taken },
        };
        Some(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.source {
            Source::Here(prepare) => prepare.size_hint(),
            Source::Ahead(prefetch) => prefetch.size_hint(),
        }
    }
}

impl<D: Dataset, C: Collate<D::Item>> ExactSizeIterator for Batches<D, C> {}
