//! Tensors of numbers, whole ones or floats: arithmetic, sums, products and extremes.
//!
//! Floats compute as constants among variables, whole numbers by `integers.rs`. One implementation takes
//! both, so that the type of `Tensor::rand([3]) + 1` may follow from what is done with the sum.

use std::ops::{Add, Mul, Neg, Sub};

use super::integers;
use super::operands::{before_numbers, constant, for_handles};
use super::scalar::{CountsAs, Scalar};
use crate::base::mode::unrecorded;
use crate::tape::Float;
use crate::tensor::{Element, Tensor};

/// An element of tensors with arithmetic: `f32`, `f64` or `i64`. What is beyond an `i64` wraps round, as in
/// PyTorch, in debug builds too.
///
/// ```
/// use wengert_core::{Numeric, Tensor};
/// fn range<T: Numeric>(x: &Tensor<T>) -> Tensor<T> { x.max() - x.min() }
/// assert_eq!(range(&Tensor::from([3i64, -1])), Tensor::scalar(4));
/// assert_eq!(range(&Tensor::from([0.5f32, 0.25])), Tensor::scalar(0.25));
/// ```
#[diagnostic::on_unimplemented(
    message = "a tensor of `{Self}` has no arithmetic",
    label = "expected `f32`, `f64` or `i64`",
    note = "masks are combined by `&`, `|`, `^` and `!`, counted by `count_nonzero`, made numbers by `cast`"
)]
pub trait Numeric: Calculated {}

impl<T: Float> Numeric for T {}
impl Numeric for i64 {}

/// What tensors of numbers compute, for each type of them; `functions` are methods of tensors under that
/// name.
macro_rules! numeric {
    (
        operators { $($pair:ident $with_number:ident $operator:tt;)* }
        functions { $(
            $(#[$meta:meta])*
            $method:ident($($argument:ident: $type:ty),*) $([$operand:ident])?;
        )* }
    ) => {
        /// The functions of tensors that a type of numbers brings; [`Numeric`] has them, under names that
        /// stand in nobody's way.
        pub trait Calculated: Element {
            /// A single number beside such a tensor: `f64` beside floats, `i64` beside `i64`.
            type Scalar: Copy;

            $(
                #[doc(hidden)]
                #[track_caller]
                fn $pair(a: &Tensor<Self>, b: &Tensor<Self>) -> Tensor<Self>;
                #[doc(hidden)]
                #[track_caller]
                fn $with_number(a: &Tensor<Self>, b: Self::Scalar) -> Tensor<Self>;
            )*
            #[doc(hidden)]
            #[track_caller]
            fn neg(x: &Tensor<Self>) -> Tensor<Self>;
            #[doc(hidden)]
            #[track_caller]
            fn clamp(x: &Tensor<Self>, min: Self::Scalar, max: Self::Scalar) -> Tensor<Self>;
            $(
                #[doc(hidden)]
                #[track_caller]
                fn $method(
                    x: &Tensor<Self>
                    $(, $argument: $type)*
                    $(, $operand: &Tensor<Self>)?
                ) -> Tensor<Self>;
            )*
        }

        impl<T: Float> Calculated for T {
            type Scalar = f64;

            $(
                fn $pair(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
                    let _unrecorded = unrecorded();
                    (&constant(a) $operator &constant(b)).value()
                }
                fn $with_number(a: &Tensor<T>, b: f64) -> Tensor<T> {
                    let _unrecorded = unrecorded();
                    (&constant(a) $operator b).value()
                }
            )*
            fn neg(x: &Tensor<T>) -> Tensor<T> {
                let _unrecorded = unrecorded();
                (-constant(x)).value()
            }
            fn clamp(x: &Tensor<T>, min: f64, max: f64) -> Tensor<T> {
                let _unrecorded = unrecorded();
                constant(x).clamp(min, max).value()
            }
            $(
                fn $method(
                    x: &Tensor<T>
                    $(, $argument: $type)*
                    $(, $operand: &Tensor<T>)?
                ) -> Tensor<T> {
                    let _unrecorded = unrecorded();
                    constant(x).$method($($argument,)* $(&constant($operand))?).value()
                }
            )*
        }

        impl Calculated for i64 {
            type Scalar = i64;

            $(
                fn $pair(a: &Tensor<i64>, b: &Tensor<i64>) -> Tensor<i64> {
                    integers::$pair(a, b)
                }
                fn $with_number(a: &Tensor<i64>, b: i64) -> Tensor<i64> {
                    integers::$with_number(a, b)
                }
            )*
            fn neg(x: &Tensor<i64>) -> Tensor<i64> {
                integers::neg(x)
            }
            fn clamp(x: &Tensor<i64>, min: i64, max: i64) -> Tensor<i64> {
                integers::clamp(x, min, max)
            }
            $(
                fn $method(
                    x: &Tensor<i64>
                    $(, $argument: $type)*
                    $(, $operand: &Tensor<i64>)?
                ) -> Tensor<i64> {
                    integers::$method(x, $($argument,)* $($operand)?)
                }
            )*
        }

        impl<T: Numeric> Tensor<T> {$(
            $(#[$meta])*
            #[track_caller]
            pub fn $method(&self $(, $argument: $type)* $(, $operand: &Tensor<T>)?) -> Tensor<T> {
                <T as Calculated>::$method(self, $($argument,)* $($operand)?)
            }
        )*}
    };
}

numeric! {
    operators {
        add add_number +;
        sub sub_number -;
        mul mul_number *;
    }
    functions {
        /// Absolute value of each element (`torch.abs`); that of `i64::MIN` is itself.
        ///
        /// ```
        /// # use wengert_core::Tensor;
        /// assert_eq!(Tensor::from([-3i64, 2, i64::MIN]).abs().to_vec(), [3, 2, i64::MIN]);
        /// ```
        abs();
        /// The larger of two elements, broadcasting; NaN where one is (`torch.maximum`).
        ///
        /// ```
        /// # use wengert_core::Tensor;
        /// assert_eq!(Tensor::from([1i64, 5]).maximum(&Tensor::from([3i64])).to_vec(), [3, 5]);
        /// ```
        #[doc(alias = "fmax")]
        maximum()[other];
        /// The smaller of two elements, broadcasting; NaN where one is (`torch.minimum`).
        #[doc(alias = "fmin")]
        minimum()[other];
        /// The sum of all elements, a scalar (`torch.sum`).
        ///
        /// ```
        /// # use wengert_core::Tensor;
        /// let lengths = Tensor::from([3i64, 1, 2]);
        /// assert_eq!((lengths.sum().item()?, lengths.max().item()?), (6, 3));
        /// # Ok::<(), wengert_core::Error>(())
        /// ```
        sum();
        /// The sum over axes `dims`, which go; all if there are none (`torch.sum`).
        ///
        /// ```
        /// # use wengert_core::Tensor;
        /// let x = Tensor::from([[1i64, 2], [3, 4]]);
        /// assert_eq!((x.sum_dim(&[0]).to_vec(), x.sum_keepdim(&[-1]).shape()), (vec![4, 6], &[2, 1][..]));
        /// ```
        #[doc(alias = "sum")]
        #[doc(alias = "reduce_sum")]
        sum_dim(dims: &[isize]);
        /// The sum over axes `dims`, which stay with extent 1; all if there are none (`torch.sum` with
        /// `keepdim=True`).
        #[doc(alias = "keepdim")]
        #[doc(alias = "keepdims")]
        sum_keepdim(dims: &[isize]);
        /// The product of all elements, a scalar; 1 of none (`torch.prod`).
        prod();
        /// The product over axis `dim`, which goes (`torch.prod`).
        #[doc(alias = "prod")]
        #[doc(alias = "reduce_prod")]
        prod_dim(dim: isize);
        /// The product over axis `dim`, which stays with extent 1 (`torch.prod` with `keepdim=True`).
        prod_keepdim(dim: isize);
        /// The largest element, a scalar; NaN if one is (`torch.max`).
        ///
        /// # Panics
        /// If there are no elements.
        max();
        /// The smallest element, a scalar; NaN if one is (`torch.min`).
        ///
        /// # Panics
        /// If there are no elements.
        min();
        /// The largest element over axes `dims`, which go; all if there are none (`torch.amax`).
        ///
        /// # Panics
        /// If an axis has no elements.
        ///
        /// ```
        /// # use wengert_core::Tensor;
        /// let x = Tensor::from([[1i64, 5], [7, 2]]);
        /// assert_eq!((x.amax(&[1]).to_vec(), x.amin(&[0]).to_vec()), (vec![5, 7], vec![1, 2]));
        /// ```
        #[doc(alias = "reduce_max")]
        amax(dims: &[isize]);
        /// The largest element over axes `dims`, which stay with extent 1; all if there are none
        /// (`torch.amax` with `keepdim=True`).
        ///
        /// # Panics
        /// If an axis has no elements.
        amax_keepdim(dims: &[isize]);
        /// The smallest element over axes `dims`, which go; all if there are none (`torch.amin`).
        ///
        /// # Panics
        /// If an axis has no elements.
        #[doc(alias = "reduce_min")]
        amin(dims: &[isize]);
        /// The smallest element over axes `dims`, which stay with extent 1; all if there are none
        /// (`torch.amin` with `keepdim=True`).
        ///
        /// # Panics
        /// If an axis has no elements.
        amin_keepdim(dims: &[isize]);
        /// The sum of all elements up to each one along axis `dim`; of floats it runs in f64
        /// (`torch.cumsum`).
        ///
        /// ```
        /// # use wengert_core::Tensor;
        /// // Where each of several sequences begins, one behind the other.
        /// let lengths = Tensor::from([3i64, 1, 2]);
        /// assert_eq!((lengths.cumsum(0) - &lengths).to_vec(), [0, 3, 4]);
        /// ```
        #[doc(alias = "cumulative_sum")]
        cumsum(dim: isize);
        /// The product of all elements up to each one along axis `dim`; of floats it runs in f64
        /// (`torch.cumprod`).
        #[doc(alias = "cumulative_prod")]
        cumprod(dim: isize);
    }
}

impl<T: Numeric> Tensor<T> {
    /// Each element held inside `[min, max]`, `min(max(x, min), max)` (`torch.clamp`): `max` everywhere if it
    /// is below `min`, NaN everywhere if a bound is. The bounds are `f64` for floats, `i64` for `i64`.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([-1i64, 5, 12]).clamp(0, 9).to_vec(), [0, 5, 9]);
    /// assert_eq!(Tensor::from([-3.0f32, 0.5]).clamp(-1.0, 1.0).to_vec(), [-1.0, 0.5]);
    /// ```
    #[doc(alias = "clip")]
    #[track_caller]
    pub fn clamp(&self, min: T::Scalar, max: T::Scalar) -> Tensor<T> {
        <T as Calculated>::clamp(self, min, max)
    }
}

macro_rules! operators {
    ($($trait:ident $pair:ident $with_number:ident $wrapping:ident;)*) => {$(
        for_handles!($trait $pair, [T: Numeric] Tensor<T>, Tensor<T>, Tensor<T>, |a, b| {
            <T as Calculated>::$pair(a, b)
        });
        before_numbers!($trait $pair, Numeric, Tensor<T>, Tensor<T>, |a, c| {
            <T as Calculated>::$with_number(a, c)
        });
        for_handles!($trait $pair, [] i64, Tensor<i64>, Tensor<i64>, |a, b| b.map(|b| a.$wrapping(b)));
    )*};
}

operators! {
    Add add add_number wrapping_add;
    Sub sub sub_number wrapping_sub;
    Mul mul mul_number wrapping_mul;
}

impl<T: Numeric> Neg for &Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        <T as Calculated>::neg(self)
    }
}

impl<T: Numeric> Neg for Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        -&self
    }
}
