//! Masks and counts of elements: what is combined of masks, and what they say as a whole.

use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, BitXor, BitXorAssign, Not};

use crate::base::dims::{Dims, axes_of, product};
use crate::base::error::expect;
use crate::ops::operands::for_handles;
use crate::tensor::{Element, Tensor};

macro_rules! combination {
    ($($trait:ident $method:ident $assign:ident $assign_method:ident $operator:tt;)*) => {$(
        for_handles!($trait $method, [] Tensor<bool>, Tensor<bool>, Tensor<bool>, |a, b| {
            expect(a.zipped(stringify!($trait), b, |a, b| a $operator b))
        });
        for_handles!($trait $method, [] Tensor<bool>, bool, Tensor<bool>, |a, b| {
            a.map(|a| a $operator *b)
        });
        for_handles!($trait $method, [] bool, Tensor<bool>, Tensor<bool>, |a, b| b $operator *a);

        impl<R> $assign<R> for Tensor<bool>
        where
            for<'t> &'t Tensor<bool>: $trait<R, Output = Tensor<bool>>,
        {
            /// The mask is the result from now on; other handles to its storage keep the old elements.
            #[track_caller]
            fn $assign_method(&mut self, other: R) {
                *self = $trait::$method(&*self, other);
            }
        }
    )*};
}

combination! {
    BitAnd bitand BitAndAssign bitand_assign &;
    BitOr bitor BitOrAssign bitor_assign |;
    BitXor bitxor BitXorAssign bitxor_assign ^;
}

impl Not for &Tensor<bool> {
    type Output = Tensor<bool>;
    #[track_caller]
    fn not(self) -> Tensor<bool> {
        self.map(|holds| !holds)
    }
}

impl Not for Tensor<bool> {
    type Output = Tensor<bool>;
    #[track_caller]
    fn not(self) -> Tensor<bool> {
        !&self
    }
}

impl Tensor<bool> {
    /// Whether the mask holds anywhere (`torch.any`); of none it does not.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from([1i64, 5]);
    /// assert!((x.gt(4) & x.lt(6)).any() && !x.gt(5).any());
    /// ```
    #[track_caller]
    pub fn any(&self) -> bool {
        self.count_nonzero() > 0
    }

    /// Whether the mask holds everywhere (`torch.all`); of none it does.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert!(Tensor::from([1i64, 5]).ge(1).all() && Tensor::from(Vec::<bool>::new()).all());
    /// ```
    #[track_caller]
    pub fn all(&self) -> bool {
        self.count_nonzero() == self.numel()
    }

    /// Whether the mask holds anywhere along axes `dims`, which go away; no axes are all of them
    /// (`torch.any` with `dim`).
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let mask = Tensor::from([[true, false], [false, false]]);
    /// assert_eq!(mask.any_dim(&[1]).to_vec(), [true, false]);
    /// ```
    #[track_caller]
    pub fn any_dim(&self, dims: &[isize]) -> Tensor<bool> {
        self.counted("any", dims).map(|count| count > 0)
    }

    /// Whether the mask holds everywhere along axes `dims`, which go away; no axes are all of them
    /// (`torch.all` with `dim`).
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let mask = Tensor::from([[true, false], [true, true]]);
    /// assert_eq!(mask.all_dim(&[1]).to_vec(), [false, true]);
    /// ```
    #[track_caller]
    pub fn all_dim(&self, dims: &[isize]) -> Tensor<bool> {
        !(!self).counted("all", dims).map(|count| count > 0)
    }
}

impl<T: Element> Tensor<T> {
    /// How many elements are not 0, or of a mask, how often it holds (`torch.count_nonzero`, `torch.sum` of a
    /// mask); a NaN counts.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([[0i64, 3], [-1, 0]]).count_nonzero(), 2);
    /// assert_eq!(Tensor::from([true, false]).count_nonzero(), 1);
    /// ```
    #[track_caller]
    pub fn count_nonzero(&self) -> usize {
        self.contiguous().in_order().iter().filter(|x| **x != T::ZERO).count()
    }

    /// How many elements are not 0 along axes `dims`, which go away; no axes are all of them
    /// (`torch.count_nonzero` with `dim`, `torch.sum` of a mask).
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let tokens = Tensor::from([[7i64, 0, 0], [5, 6, 0]]);
    /// assert_eq!(tokens.count_nonzero_dim(&[1]).to_vec(), [1, 2]);
    /// ```
    #[track_caller]
    pub fn count_nonzero_dim(&self, dims: &[isize]) -> Tensor<i64> {
        self.counted("count_nonzero", dims)
    }

    #[track_caller]
    fn counted(&self, operation: &'static str, dims: &[isize]) -> Tensor<i64> {
        self.by_rows(operation, dims, false, |row| row.iter().filter(|x| **x != T::ZERO).count() as i64)
    }

    /// What `of_row` gives for the elements along axes `dims` (all if there are none), which go or stay with
    /// extent 1.
    #[track_caller]
    pub(super) fn by_rows<U: Element>(
        &self,
        operation: &'static str,
        dims: &[isize],
        keepdim: bool,
        of_row: impl Fn(&[T]) -> U,
    ) -> Tensor<U> {
        let axes = expect(axes_of(operation, dims, self.rank()));
        let kept = || (0..self.rank()).filter(|axis| !axes.contains(axis));
        let shape: Dims = (0..self.rank())
            .filter(|axis| keepdim || !axes.contains(axis))
            .map(|axis| if axes.contains(&axis) { 1 } else { self.shape()[axis] })
            .collect();
        // With the axes that are gone through at the end each result is of one row.
        let order: Vec<isize> = kept().chain(axes.iter().copied()).map(|axis| axis as isize).collect();
        let rows = expect(self.permute(&order)).contiguous();
        let width = product(&axes.iter().map(|&axis| self.shape()[axis]).collect::<Dims>());
        let elements = rows.in_order();
        Tensor::build(shape, |out| {
            for (row, result) in out.iter_mut().enumerate() {
                *result = of_row(&elements[row * width..][..width]);
            }
        })
    }
}
