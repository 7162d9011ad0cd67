//! Tensors from and to vectors, nested arrays, ndarray and other element types.

use wengert_kernel::memory::buffer::AlignedBuffer;
use wengert_kernel::rows::copy;

use super::Tensor;
use crate::base::dims;
use crate::base::error::{Error, Result};
use crate::base::refusal::or_refused;
use crate::tensor::storage::{Storage, Upkeep};
use crate::tensor::{Element, memory};

impl<T: Element> Tensor<T> {
    /// The elements in row-major order.
    #[doc(alias = "tolist")]
    #[doc(alias = "numpy")]
    #[track_caller]
    pub fn to_vec(&self) -> Vec<T> {
        match self.as_slice() {
            Some(slice) => {
                let mut elements = memory::vec_of(slice.len());
                elements.extend_from_slice(slice);
                elements
            }
            None => self.copy().to_vec(),
        }
    }

    /// The only element.
    ///
    /// # Errors
    /// If there is not exactly one.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([[3.5f64]]).item()?, 3.5);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn item(&self) -> Result<T> {
        match self.numel() {
            1 => Ok(copy::first(self.as_view())),
            n => Err(Error::shape("item", "one element", format!("{n} in shape {:?}", self.shape()))),
        }
    }

    /// The element at `index`, one number per axis.
    ///
    /// # Panics
    /// If the index has another rank or lies outside.
    #[track_caller]
    pub fn at(&self, index: &[usize]) -> T {
        let inside = index.len() == self.rank() && index.iter().zip(self.shape()).all(|(i, n)| i < n);
        assert!(inside, "at: expected an index inside {:?}, got {index:?}", self.shape());
        let of_one = index.iter().enumerate().fold(self.clone(), |x, (axis, &i)| x.narrow_at(axis, i, 1));
        copy::first(of_one.as_view())
    }

    /// The elements as another type: a float to i64 is cut, anything but 0 is true.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([1.5f64, -2.5]).cast::<i64>().to_vec(), vec![1, -2]);
    /// ```
    #[doc(alias = "astype")]
    #[track_caller]
    pub fn cast<U: Element>(&self) -> Tensor<U> {
        self.map(|x| U::from_f64(x.to_f64()))
    }

    /// Each element through a function, without derivatives.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let hit = Tensor::from([3i64, 4]).map(|x| x == 3);
    /// assert_eq!(hit.to_vec(), vec![true, false]);
    /// ```
    #[doc(alias = "apply_")]
    #[doc(alias = "vectorize")]
    #[track_caller]
    pub fn map<U: Element>(&self, f: impl Fn(T) -> U) -> Tensor<U> {
        let source = self.contiguous();
        let source = source.as_slice().expect("contiguous");
        Tensor::build(self.dims().clone(), |out| out.iter_mut().zip(source).for_each(|(y, &x)| *y = f(x)))
    }

    /// Pairs of elements of two tensors that broadcast, through a function, without derivatives.
    ///
    /// # Errors
    /// If the shapes do not broadcast, or there is no memory for the result.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let right = Tensor::from([1i64, 2, 3]).zip(&Tensor::from([1i64, 5, 3]), |a, b| a == b)?;
    /// assert_eq!(right.to_vec(), vec![true, false, true]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn zip<U: Element, V: Element>(&self, other: &Tensor<U>, f: impl Fn(T, U) -> V) -> Result<Tensor<V>> {
        self.zipped("zip", other, f)
    }

    /// [`Tensor::zip`] for `operation`.
    pub(crate) fn zipped<U: Element, V: Element>(
        &self,
        operation: &'static str,
        other: &Tensor<U>,
        f: impl Fn(T, U) -> V,
    ) -> Result<Tensor<V>> {
        let shape = dims::broadcast(operation, self.shape(), other.shape())?;
        or_refused(operation, || {
            let (a, b) = (self.expand(&shape)?.contiguous(), other.expand(&shape)?.contiguous());
            let pairs = a.in_order().iter().zip(b.in_order());
            Ok(Tensor::build(shape, |out| {
                out.iter_mut().zip(pairs).for_each(|(y, (&p, &q))| *y = f(p, q));
            }))
        })
    }
}

impl<T: Element> From<T> for Tensor<T> {
    fn from(value: T) -> Self {
        Tensor::scalar(value)
    }
}

impl<T: Element> From<Vec<T>> for Tensor<T> {
    fn from(elements: Vec<T>) -> Self {
        let shape = [elements.len()].into_iter().collect();
        Tensor::from_parts(Storage::new(AlignedBuffer::from_vec(elements), Upkeep::new()), &shape)
    }
}
