//! Order along an axis: sorting, and the largest or smallest elements.

use std::cmp::Ordering;

use crate::base::dims::axis_of;
use crate::base::error::{Error, Result, expect};
use crate::base::refusal::or_refused;
use crate::tape::{Float, Variable};
use crate::tensor::{Element, Tensor, memory};

impl<T: Element> Tensor<T> {
    /// Indices that put the elements along axis `dim` in order; equals stay in theirs, and NaN counts as the
    /// largest (`torch.argsort` with `stable=True`).
    ///
    /// # Errors
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([3.0f32, 1.0, 2.0]).argsort(0)?.to_vec(), vec![1, 2, 0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn argsort(&self, dim: isize) -> Result<Tensor<i64>> {
        self.places_in_order(dim, false)
    }

    /// Indices that put the elements along axis `dim` in order from the largest down; equals stay in theirs,
    /// and NaN comes first (`torch.argsort` with `stable=True, descending=True`).
    ///
    /// # Errors
    /// If there is no such axis, or no memory for the indices.
    pub fn argsort_descending(&self, dim: isize) -> Result<Tensor<i64>> {
        self.places_in_order(dim, true)
    }

    fn places_in_order(&self, dim: isize, descending: bool) -> Result<Tensor<i64>> {
        axis_of("argsort", dim, self.rank().max(1))?;
        if self.rank() == 0 {
            return Ok(Tensor::scalar(0));
        }
        let rows = self.transpose(dim, -1)?;
        or_refused("argsort", || rows.places_along_rows(descending))?.transpose(dim, -1)
    }

    /// [`Tensor::argsort`] along the last axis.
    fn places_along_rows(&self, descending: bool) -> Result<Tensor<i64>> {
        let rows = self.contiguous();
        let width = rows.shape()[rows.rank() - 1];
        let mut places = memory::vec_of(rows.numel());
        for row in rows.in_order().chunks_exact(width.max(1)) {
            let mut order = memory::vec_of(width);
            order.extend(0..width as i64);
            order.sort_by(|&a, &b| {
                let order = with_nan_last(row[a as usize], row[b as usize]);
                if descending { order.reverse() } else { order }
            });
            places.extend(order);
        }
        Tensor::from_vec(places, rows.shape())
    }
}

fn with_nan_last<T: PartialOrd>(a: T, b: T) -> Ordering {
    let is_nan = |x: &T| x.partial_cmp(x).is_none();
    a.partial_cmp(&b).unwrap_or_else(|| is_nan(&a).cmp(&is_nan(&b)))
}

impl<T: Float> Variable<T> {
    /// The elements along axis `dim` in order, and where they were (`torch.sort` with `stable=True`).
    /// Cotangents go back to where they were.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let (values, places) = Variable::new(Tensor::from([3.0f32, 1.0, 2.0])).sort_descending(0);
    /// assert_eq!((values.to_vec(), places.to_vec()), (vec![3.0, 2.0, 1.0], vec![0, 2, 1]));
    /// ```
    #[track_caller]
    pub fn sort(&self, dim: isize) -> (Variable<T>, Tensor<i64>) {
        self.in_order(dim, false)
    }

    /// [`Variable::sort`] from the largest down (`descending=True`).
    #[doc(alias = "descending")]
    #[track_caller]
    pub fn sort_descending(&self, dim: isize) -> (Variable<T>, Tensor<i64>) {
        self.in_order(dim, true)
    }

    #[track_caller]
    fn in_order(&self, dim: isize, descending: bool) -> (Variable<T>, Tensor<i64>) {
        let places = expect(self.peek().places_of_sort(dim, descending));
        (self.gather(dim, &places), places)
    }

    /// The `k` largest elements along axis `dim`, the largest first, and where they are (`torch.topk`).
    ///
    /// # Panics
    /// If the axis has fewer elements.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let (values, places) = Variable::new(Tensor::from([[3.0f32, 1.0, 4.0]])).topk(2, 1);
    /// assert_eq!((values.to_vec(), places.to_vec()), (vec![4.0, 3.0], vec![2, 0]));
    /// ```
    #[doc(alias = "top_k")]
    #[track_caller]
    pub fn topk(&self, k: usize, dim: isize) -> (Variable<T>, Tensor<i64>) {
        let places = expect(self.peek().places_of_topk(k, dim));
        (self.gather(dim, &places), places)
    }
}

impl<T: Element> Tensor<T> {
    fn places_of_sort(&self, dim: isize, descending: bool) -> Result<Tensor<i64>> {
        axis_of("sort", dim, self.rank())?;
        self.places_in_order(dim, descending)
    }

    fn places_of_topk(&self, k: usize, dim: isize) -> Result<Tensor<i64>> {
        let extent = self.shape()[axis_of("topk", dim, self.rank())?];
        if k > extent {
            let expected = format!("at most {extent} in shape {:?}", self.shape());
            return Err(Error::argument("topk", "k", expected, k));
        }
        self.argsort_descending(dim)?.narrow(dim, 0, k)
    }

    /// The elements along axis `dim` in order, and where they were; equals stay in their order, and NaN
    /// counts as the largest (`torch.sort` with `stable=True`).
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (values, places) = Tensor::from([3i64, 1, 2]).sort(0);
    /// assert_eq!((values.to_vec(), places.to_vec()), (vec![1, 2, 3], vec![1, 2, 0]));
    /// ```
    #[track_caller]
    pub fn sort(&self, dim: isize) -> (Tensor<T>, Tensor<i64>) {
        let places = expect(self.places_of_sort(dim, false));
        (self.gather(dim, &places), places)
    }

    /// The elements along axis `dim` in order from the largest down, and where they were; equals stay in
    /// their order, and NaN comes first (`torch.sort` with `stable=True, descending=True`).
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (values, places) = Tensor::from([3i64, 1, 2]).sort_descending(0);
    /// assert_eq!((values.to_vec(), places.to_vec()), (vec![3, 2, 1], vec![0, 2, 1]));
    /// ```
    #[doc(alias = "descending")]
    #[track_caller]
    pub fn sort_descending(&self, dim: isize) -> (Tensor<T>, Tensor<i64>) {
        let places = expect(self.places_of_sort(dim, true));
        (self.gather(dim, &places), places)
    }

    /// The `k` largest elements along axis `dim`, the largest first, and where they are (`torch.topk`).
    ///
    /// # Panics
    /// If there is no such axis, or it has fewer elements.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (values, places) = Tensor::from([[3.0f32, 1.0, 4.0]]).topk(2, 1);
    /// assert_eq!((values.to_vec(), places.to_vec()), (vec![4.0, 3.0], vec![2, 0]));
    /// ```
    #[doc(alias = "top_k")]
    #[track_caller]
    pub fn topk(&self, k: usize, dim: isize) -> (Tensor<T>, Tensor<i64>) {
        let places = expect(self.places_of_topk(k, dim));
        (self.gather(dim, &places), places)
    }
}
