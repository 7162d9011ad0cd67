//! Datasets in memory.

use wengert_core::{Element, Error, Result, Tensor};

use crate::dataset::{Dataset, check_index};
use crate::fingerprint::{Content, Fingerprint};

/// The rows of one tensor or of several that are as long (`torch.utils.data.TensorDataset`).
///
/// A sample is a row of the tensor, or a tuple of one of each; it is a view, nothing is copied.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{Dataset, TensorDataset};
/// let data = TensorDataset::new((Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]), Tensor::from([0i64, 1])))?;
/// let (x, y) = data.get(1)?;
/// assert_eq!((x.to_vec(), y.item()?), (vec![3.0, 4.0], 1));
/// let error = TensorDataset::new((Tensor::<f32>::zeros([3, 2]), Tensor::<i64>::zeros([4]))).unwrap_err();
/// let expected = "TensorDataset: expected tensors of 3 rows, as the first has, got 4 for tensor 1";
/// assert_eq!(error.to_string(), expected);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TensorDataset<R> {
    tensors: R,
    rows: usize,
}

impl<R: Rows> TensorDataset<R> {
    /// The rows of a tensor, or of a tuple of up to four.
    ///
    /// # Errors
    /// If a tensor has no axis, or not as many rows as the first.
    pub fn new(tensors: R) -> Result<Self> {
        let counts = tensors.counts();
        if let Some(place) = counts.iter().position(Option::is_none) {
            let got = format!("a scalar for tensor {place}");
            return Err(Error::shape("TensorDataset", "tensors of at least 1 axis", got));
        }
        if let Some(place) = counts.iter().position(|count| *count != counts[0]) {
            let expected = format!("tensors of {} rows, as the first has", counts[0].unwrap_or(0));
            let got = format!("{} for tensor {place}", counts[place].unwrap_or(0));
            return Err(Error::shape("TensorDataset", expected, got));
        }
        Ok(TensorDataset { rows: counts[0].unwrap_or(0), tensors })
    }

    /// The tensors.
    pub fn tensors(&self) -> &R {
        &self.tensors
    }
}

impl<R: Rows> Dataset for TensorDataset<R> {
    type Item = R::Row;

    fn len(&self) -> usize {
        self.rows
    }

    fn get(&self, index: usize) -> Result<R::Row> {
        check_index("TensorDataset", index, self.rows)?;
        self.tensors.row(index)
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new("tensors").with(&self.tensors)
    }
}

/// A tensor, or a tuple of up to four, as a [`TensorDataset`] takes it.
pub trait Rows: Content {
    /// A row of each tensor.
    type Row;

    /// The rows of each tensor; none of one without axes.
    fn counts(&self) -> Vec<Option<usize>>;

    /// A row of each tensor.
    ///
    /// # Errors
    /// If there is no such row.
    fn row(&self, index: usize) -> Result<Self::Row>;
}

impl<T: Element> Rows for Tensor<T> {
    type Row = Tensor<T>;

    fn counts(&self) -> Vec<Option<usize>> {
        vec![self.shape().first().copied()]
    }

    fn row(&self, index: usize) -> Result<Tensor<T>> {
        self.select(0, index)
    }
}

macro_rules! tuples {
    ($(($($name:ident $place:tt),*))*) => {$(
        impl<$($name: Rows),*> Rows for ($($name,)*) {
            type Row = ($($name::Row,)*);
            fn counts(&self) -> Vec<Option<usize>> {
                [$(self.$place.counts()),*].concat()
            }
            fn row(&self, index: usize) -> Result<Self::Row> {
                Ok(($(self.$place.row(index)?,)*))
            }
        }
    )*};
}

tuples! { (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }

/// Samples in a vector.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{Dataset, VecDataset};
/// let sequences = VecDataset::new(vec![Tensor::from([1.0f32]), Tensor::from([2.0f32, 3.0])]);
/// assert_eq!(sequences.get(1)?.shape(), [2]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct VecDataset<I> {
    samples: Vec<I>,
}

impl<I> VecDataset<I> {
    /// A dataset of these samples.
    pub fn new(samples: Vec<I>) -> Self {
        VecDataset { samples }
    }

    /// The samples.
    pub fn samples(&self) -> &[I] {
        &self.samples
    }
}

impl<I: Clone + Content> Dataset for VecDataset<I> {
    type Item = I;

    fn len(&self) -> usize {
        self.samples.len()
    }

    fn get(&self, index: usize) -> Result<I> {
        check_index("VecDataset", index, self.len())?;
        Ok(self.samples[index].clone())
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new("vector").with(&self.samples)
    }
}
