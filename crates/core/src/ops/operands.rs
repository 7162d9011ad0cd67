//! What stands beside a variable in arithmetic (tensors, parameters, numbers beside both), and tensors by
//! themselves.
//!
//! A tensor is a variable without history for as long as an operation takes, and a parameter is its variable,
//! so that there is one implementation.

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::base::mode::unrecorded;
use crate::ops::scalar::Scalar;
use crate::tape::{Float, Parameter, Variable};
use crate::tensor::{Element, Tensor};

/// The tensor as a constant.
pub(super) fn constant<T: Float>(tensor: &Tensor<T>) -> Variable<T> {
    Variable::from(tensor.clone())
}

/// An operation for each way to hold its operands.
macro_rules! for_handles {
    (
        $trait:ident $method:ident, [$($t:ident)?] $left:ty, $right:ty, $out:ty,
        |$a:ident, $b:ident| $value:expr
    ) => {
        impl$(<$t: Float>)? $trait<&$right> for &$left {
            type Output = $out;
            #[track_caller]
            fn $method(self, $b: &$right) -> $out {
                let $a = self;
                $value
            }
        }
        impl$(<$t: Float>)? $trait<$right> for &$left {
            type Output = $out;
            #[track_caller]
            fn $method(self, other: $right) -> $out {
                $trait::$method(self, &other)
            }
        }
        impl$(<$t: Float>)? $trait<&$right> for $left {
            type Output = $out;
            #[track_caller]
            fn $method(self, other: &$right) -> $out {
                $trait::$method(&self, other)
            }
        }
        impl$(<$t: Float>)? $trait<$right> for $left {
            type Output = $out;
            #[track_caller]
            fn $method(self, other: $right) -> $out {
                $trait::$method(&self, &other)
            }
        }
    };
}

pub(super) use for_handles;

/// An operation with numbers on both sides; `$with` does it with an `f64` on the right, `$before` on the left.
macro_rules! beside_numbers {
    (
        $trait:ident $method:ident, $left:ty, $out:ty,
        |$a:ident, $c:ident| $with:expr, |$n:ident, $b:ident| $before:expr
    ) => {
        impl<T: Float, S: Scalar> $trait<S> for &$left {
            type Output = $out;
            #[track_caller]
            fn $method(self, number: S) -> $out {
                let ($a, $c) = (self, number.scalar());
                $with
            }
        }
        impl<T: Float, S: Scalar> $trait<S> for $left {
            type Output = $out;
            #[track_caller]
            fn $method(self, number: S) -> $out {
                $trait::$method(&self, number)
            }
        }
        for_handles!($trait $method, [T] f64, $left, $out, |number, $b| {
            let $n = *number;
            $before
        });
        for_handles!($trait $method, [T] i32, $left, $out, |number, $b| {
            let $n = f64::from(*number);
            $before
        });
    };
}

pub(super) use beside_numbers;

/// What a method of variables gives for tensors.
macro_rules! computed {
    ($value:expr) => {{
        let _unrecorded = unrecorded();
        $value.value()
    }};
}

macro_rules! arithmetic {
    ($($trait:ident $method:ident $assign:ident $assign_method:ident $operator:tt;)*) => {$(
        for_handles!($trait $method, [T] Variable<T>, Tensor<T>, Variable<T>, |a, b| {
            a $operator &constant(b)
        });
        for_handles!($trait $method, [T] Tensor<T>, Variable<T>, Variable<T>, |a, b| {
            &constant(a) $operator b
        });
        for_handles!($trait $method, [T] Tensor<T>, Tensor<T>, Tensor<T>, |a, b| {
            computed!(&constant(a) $operator &constant(b))
        });
        beside_numbers!(
            $trait $method, Tensor<T>, Tensor<T>,
            |a, c| computed!(&constant(a) $operator c),
            |c, a| computed!(c $operator &constant(a))
        );
        for_handles!($trait $method, [T] Parameter<T>, Parameter<T>, Variable<T>, |a, b| {
            &**a $operator &**b
        });
        for_handles!($trait $method, [T] Parameter<T>, Variable<T>, Variable<T>, |a, b| &**a $operator b);
        for_handles!($trait $method, [T] Variable<T>, Parameter<T>, Variable<T>, |a, b| a $operator &**b);
        for_handles!($trait $method, [T] Parameter<T>, Tensor<T>, Variable<T>, |a, b| &**a $operator b);
        for_handles!($trait $method, [T] Tensor<T>, Parameter<T>, Variable<T>, |a, b| a $operator &**b);
        beside_numbers!(
            $trait $method, Parameter<T>, Variable<T>,
            |a, c| &**a $operator c,
            |c, a| c $operator &**a
        );

        impl<T: Float, R> $assign<R> for Variable<T>
        where
            for<'v> &'v Variable<T>: $trait<R, Output = Variable<T>>,
        {
            /// The variable stands for the result from now on; what it stood for stays as it is.
            #[track_caller]
            fn $assign_method(&mut self, other: R) {
                *self = $trait::$method(&*self, other);
            }
        }

        impl<T: Element, R> $assign<R> for Tensor<T>
        where
            for<'t> &'t Tensor<T>: $trait<R, Output = Tensor<T>>,
        {
            /// The tensor is the result from now on; other handles to its storage keep the old elements.
            #[track_caller]
            fn $assign_method(&mut self, other: R) {
                *self = $trait::$method(&*self, other);
            }
        }
    )*};
}

arithmetic! {
    Add add AddAssign add_assign +;
    Sub sub SubAssign sub_assign -;
    Mul mul MulAssign mul_assign *;
    Div div DivAssign div_assign /;
}

impl<T: Float> Neg for &Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        computed!(-constant(self))
    }
}

impl<T: Float> Neg for Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        -&self
    }
}

impl<T: Float> Neg for &Parameter<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn neg(self) -> Variable<T> {
        -&**self
    }
}

/// Methods of variables as methods of tensors.
macro_rules! functions {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        impl<T: Float> Tensor<T> {$(
            #[doc = concat!(
                "Of the elements what [`", stringify!($method), "`](crate::Variable::", stringify!($method),
                ") gives for a variable."
            )]
            #[track_caller]
            pub fn $method(&self $(, $argument: $type)*) -> Tensor<T> {

                constant(self).$method($($argument),*).value()
            }
        )*}
    };
}

functions! {
    exp() ln() sqrt() rsqrt() square() recip() abs() sin() cos() tanh() sigmoid() erf() relu()
    clamp(min: f64, max: f64) pow_scalar(exponent: f64)
    sum() sum_dim(dims: &[isize]) sum_keepdim(dims: &[isize])
    mean() mean_dim(dims: &[isize]) mean_keepdim(dims: &[isize])
    var_dim(dims: &[isize], correction: usize) std_dim(dims: &[isize], correction: usize)
    norm(p: f64, dims: &[isize])
    max() min() amax(dims: &[isize]) amin(dims: &[isize]) prod() prod_dim(dim: isize)
    softmax(dim: isize) log_softmax(dim: isize) logsumexp(dim: isize)
    cumsum(dim: isize) cumprod(dim: isize)
}

impl<T: Float> Tensor<T> {
    /// The product with another tensor, of matrices, batches of them, or vectors
    /// ([`Variable::matmul`](crate::Variable::matmul)).
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let (a, b) = (Tensor::from([[1.0f32, 2.0]]), Tensor::from([[3.0f32], [4.0]]));
    /// assert_eq!((&a.matmul(&b) * 2 - 1.0).to_vec(), [21.0]);
    /// ```
    #[track_caller]
    pub fn matmul(&self, other: &Tensor<T>) -> Tensor<T> {
        constant(self).matmul(&constant(other)).value()
    }
}
