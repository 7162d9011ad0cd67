//! How samples become a batch.

use wengert_core::{Error, Result};

use crate::stack::Stackable;

/// A way to make a batch of samples (`collate_fn` of `torch.utils.data.DataLoader`).
///
/// [`Stacked`], [`Padded`](crate::Padded), [`Packed`](crate::Packed) and [`Single`] are such ways, a function
/// of the samples is one, and a tuple of ways is one for samples that are tuples.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{Collate, Padded, Stacked};
/// let samples = vec![(Tensor::from([1i64, 2]), 0i64), (Tensor::from([3i64]), 1)];
/// let (tokens, classes) = (Padded::default(), Stacked).collate(samples.clone())?;
/// assert_eq!((tokens.lengths, classes), (vec![2, 1], Tensor::from([0i64, 1])));
/// let count = |samples: Vec<(Tensor<i64>, i64)>| Ok(samples.len());
/// assert_eq!(count.collate(samples)?, 2);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "collate_fn")]
pub trait Collate<I> {
    /// A batch.
    type Batch;

    /// The samples as a batch.
    ///
    /// # Errors
    /// If they do not fit each other.
    fn collate(&self, samples: Vec<I>) -> Result<Self::Batch>;
}

impl<I, B, F: Fn(Vec<I>) -> Result<B>> Collate<I> for F {
    type Batch = B;

    fn collate(&self, samples: Vec<I>) -> Result<B> {
        self(samples)
    }
}

/// Batches of samples of one shape along a new first axis: [`Stackable`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Stacked;

impl<I: Stackable> Collate<I> for Stacked {
    type Batch = I::Batch;

    fn collate(&self, samples: Vec<I>) -> Result<I::Batch> {
        I::stacked(samples)
    }
}

/// Batches of one sample, as it is (`batch_size=None` in PyTorch): for samples that are batches already, such
/// as [`TruncatedWindows`](crate::TruncatedWindows).
///
/// ```
/// use wengert_data::{DataLoader, Single, VecDataset};
/// let loader = DataLoader::builder(VecDataset::new(vec![3i64, 4])).collate(Single).build()?;
/// assert_eq!(loader.iter().collect::<Result<Vec<_>, _>>()?, [3, 4]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Single;

impl<I> Collate<I> for Single {
    type Batch = I;

    fn collate(&self, samples: Vec<I>) -> Result<I> {
        let count = samples.len();
        match (samples.into_iter().next(), count) {
            (Some(sample), 1) => Ok(sample),
            _ => Err(Error::argument("Single", "batch_size", 1, count)),
        }
    }
}

macro_rules! tuples {
    ($(($($way:ident $name:ident $samples:ident $place:tt),*))*) => {$(
        impl<$($name, $way: Collate<$name>),*> Collate<($($name,)*)> for ($($way,)*) {
            type Batch = ($($way::Batch,)*);
            fn collate(&self, samples: Vec<($($name,)*)>) -> Result<Self::Batch> {
                let ($($samples,)*): ($(Vec<$name>,)*) = samples.into_iter().collect();
                Ok(($(self.$place.collate($samples)?,)*))
            }
        }
    )*};
}

tuples! {
    (P A a 0, Q B b 1)
    (P A a 0, Q B b 1, R C c 2)
    (P A a 0, Q B b 1, R C c 2, S D d 3)
}
