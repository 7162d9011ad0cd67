//! What can be indexed.

use std::sync::Arc;

use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Error, Result};

use crate::adapters::{Map, Subset, Zip};
use crate::fingerprint::Fingerprint;
use crate::stack::Stackable;

/// A finite collection of samples that can be got by index (`torch.utils.data.Dataset`).
///
/// ```
/// use wengert_core::{Result, Tensor};
/// use wengert_data::{DataLoader, Dataset};
/// struct Squares(usize);
/// impl Dataset for Squares {
///     type Item = (f32, f32);
///     fn len(&self) -> usize {
///         self.0
///     }
///     fn get(&self, index: usize) -> Result<(f32, f32)> {
///         Ok((index as f32, (index * index) as f32))
///     }
/// }
/// let loader = DataLoader::builder(Squares(4)).batch_size(3).build()?;
/// let (x, y) = loader.iter().next().unwrap()?;
/// assert_eq!((x, y), (Tensor::from([0.0f32, 1.0, 2.0]), Tensor::from([0.0f32, 1.0, 4.0])));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Dataset {
    /// A sample.
    type Item;

    /// How many samples there are.
    fn len(&self) -> usize;

    /// The sample at a place below [`Dataset::len`], the same whenever it is asked for, but for what it draws
    /// from this thread's generator ([`DataLoader`](crate::DataLoader) seeds that for each batch).
    ///
    /// # Errors
    /// If there is no such sample, or it can't be read.
    fn get(&self, index: usize) -> Result<Self::Item>;

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A hash of the samples, by which a saved position knows its data. By default it is one of the number of
    /// samples alone.
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new("samples").with(&self.len())
    }

    /// The samples in order.
    ///
    /// ```
    /// use wengert_data::{Dataset, VecDataset};
    /// let data = VecDataset::new(vec![3.0f32, 4.0]);
    /// assert_eq!(data.iter().len(), 2);
    /// assert_eq!(data.iter().collect::<Result<Vec<_>, _>>()?, [3.0, 4.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn iter(&self) -> Items<'_, Self>
    where
        Self: Sized,
    {
        Items { dataset: self, next: 0 }
    }

    /// Each sample through a function, when it is asked for. A function has no fingerprint: the dataset keeps
    /// that of the samples before.
    ///
    /// ```
    /// use wengert_data::{Dataset, VecDataset};
    /// let data = VecDataset::new(vec![3i64, 4]).map(|x| Ok(x as f32 / 2.0));
    /// assert_eq!(data.get(0)?, 1.5);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn map<U, F: Fn(Self::Item) -> Result<U>>(self, function: F) -> Map<Self, F>
    where
        Self: Sized,
    {
        Map::new(self, function)
    }

    /// Pairs of the samples of two datasets (`torch.utils.data.StackDataset`).
    ///
    /// # Errors
    /// If one has more samples than the other.
    ///
    /// ```
    /// use wengert_data::{Dataset, VecDataset};
    /// let data = VecDataset::new(vec![3i64, 4]).zip(VecDataset::new(vec![true, false]))?;
    /// assert_eq!(data.get(1)?, (4, false));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "StackDataset")]
    fn zip<E: Dataset>(self, other: E) -> Result<Zip<Self, E>>
    where
        Self: Sized,
    {
        Zip::new(self, other)
    }

    /// The samples at some places, in their order (`torch.utils.data.Subset`).
    ///
    /// # Errors
    /// If a place is not below [`Dataset::len`].
    ///
    /// ```
    /// use wengert_data::{Dataset, VecDataset};
    /// let data = VecDataset::new(vec![3i64, 4, 5]);
    /// let error = data.clone().subset(vec![0, 7]).unwrap_err().to_string();
    /// assert_eq!(error, "Subset: every index must be in 0..3, got 7");
    /// assert_eq!(data.subset(vec![2, 0])?.get(0)?, 5);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn subset(self, indices: Vec<usize>) -> Result<Subset<Self>>
    where
        Self: Sized,
    {
        Subset::new(Arc::new(self), indices)
    }

    /// All samples as one batch, as it takes to fit a [`Scaler`](crate::Scaler) on a part of the data.
    ///
    /// # Errors
    /// If there is no sample, one can't be got, they do not fit each other, or there is no memory for them.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_data::{Dataset, TensorDataset};
    /// let data = TensorDataset::new(Tensor::from([[1.0f32], [2.0], [3.0]]))?.subset(vec![2, 1])?;
    /// assert_eq!(data.stacked()?, Tensor::from([[3.0f32], [2.0]]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn stacked(&self) -> Result<<Self::Item as Stackable>::Batch>
    where
        Self: Sized,
        Self::Item: Stackable,
    {
        let samples = or_refused("stacked", || {
            let mut samples = vec_of(self.len());
            for sample in self.iter() {
                samples.push(sample?);
            }
            Ok(samples)
        })?;
        Stackable::stacked(samples)
    }
}

macro_rules! shared {
    ($($pointer:ty),*) => {$(
        impl<D: Dataset + ?Sized> Dataset for $pointer {
            type Item = D::Item;
            fn len(&self) -> usize {
                (**self).len()
            }
            fn get(&self, index: usize) -> Result<D::Item> {
                (**self).get(index)
            }
            fn fingerprint(&self) -> Fingerprint {
                (**self).fingerprint()
            }
        }
    )*};
}

shared!(&D, Arc<D>, Box<D>);

/// The samples of a dataset in order, from [`Dataset::iter`].
pub struct Items<'a, D> {
    dataset: &'a D,
    next: usize,
}

impl<D: Dataset> Iterator for Items<'_, D> {
    type Item = Result<D::Item>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.next;
        (index < self.dataset.len()).then(|| {
            self.next += 1;
            self.dataset.get(index)
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.dataset.len() - self.next;
        (left, Some(left))
    }
}

impl<D: Dataset> ExactSizeIterator for Items<'_, D> {}

/// Refuses a place that a dataset does not have.
pub(crate) fn check_index(name: &'static str, index: usize, len: usize) -> Result<()> {
    if index < len {
        return Ok(());
    }
    Err(Error::argument(name, "every index", format!("in 0..{len}"), index))
}
