//! Samples of one shape as one tensor.

use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Element, Error, Result, Tensor};

use crate::fingerprint::in_order;

/// A sample that makes a batch with others like it (`torch.utils.data.default_collate`): tensors of one shape
/// get a new first axis, numbers become a tensor, texts a vector, and tuples a tuple of batches.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::Stackable;
/// let batch = Stackable::stacked(vec![(Tensor::from([1.0, 2.0]), 7i64), (Tensor::from([3.0, 4.0]), 8)])?;
/// assert_eq!(batch, (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([7i64, 8])));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "default_collate")]
pub trait Stackable: Sized {
    /// A batch of samples.
    type Batch;

    /// The samples as a batch.
    ///
    /// # Errors
    /// If there is none, they do not fit each other, or there is no memory for the batch.
    fn stacked(samples: Vec<Self>) -> Result<Self::Batch>;
}

impl<T: Element> Stackable for Tensor<T> {
    type Batch = Tensor<T>;

    fn stacked(samples: Vec<Self>) -> Result<Tensor<T>> {
        let Some(first) = samples.first() else {
            return Err(Error::shape("stacked", "at least one sample", 0));
        };
        if let Some(place) = samples.iter().position(|sample| sample.shape() != first.shape()) {
            let expected = format!("samples of one shape, the first of {:?}", first.shape());
            let got = format!("{:?} for sample {place} of the batch", samples[place].shape());
            return Err(Error::shape("stacked", expected, got));
        }
        or_refused("stacked", || {
            let mut elements = vec_of(samples.len().saturating_mul(first.numel()));
            for sample in &samples {
                elements.extend_from_slice(in_order(&sample.contiguous()));
            }
            Tensor::from_vec(elements, [&[samples.len()], first.shape()].concat())
        })
    }
}

macro_rules! numbers {
    ($($number:ty => $element:ty),*) => {$(
        impl Stackable for $number {
            type Batch = Tensor<$element>;
            fn stacked(samples: Vec<Self>) -> Result<Self::Batch> {
                or_refused("stacked", || {
                    let mut elements = vec_of(samples.len());
                    elements.extend(samples.iter().map(|&x| x as $element));
                    Ok(Tensor::from(elements))
                })
            }
        }
    )*};
}

numbers!(f32 => f32, f64 => f64, i64 => i64, bool => bool, usize => i64);

impl Stackable for String {
    type Batch = Vec<String>;

    fn stacked(samples: Vec<Self>) -> Result<Vec<String>> {
        Ok(samples)
    }
}

macro_rules! tuples {
    ($(($($name:ident $samples:ident),*))*) => {$(
        impl<$($name: Stackable),*> Stackable for ($($name,)*) {
            type Batch = ($($name::Batch,)*);
            fn stacked(samples: Vec<Self>) -> Result<Self::Batch> {
                let len = samples.len();
                let mut apart = or_refused("stacked", || Ok(($(vec_of::<$name>(len),)*)))?;
                apart.extend(samples);
                let ($($samples,)*) = apart;
                Ok(($($name::stacked($samples)?,)*))
            }
        }
    )*};
}

tuples! { (A a, B b) (A a, B b, C c) (A a, B b, C c, D d) }
