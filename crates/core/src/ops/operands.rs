//! What stands beside a variable in arithmetic (tensors, parameters, numbers beside both), and tensors by
//! themselves.
//!
//! A tensor is a variable without history for as long as an operation takes, and a parameter is its variable,
//! so that there is one implementation.

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::base::mode::unrecorded;
use crate::ops::numeric::Calculated;
use crate::ops::scalar::{CountsAs, Scalar};
use crate::tape::{Float, Parameter, Variable};
use crate::tensor::{Element, Tensor};

/// The tensor as a constant.
pub(super) fn constant<T: Float>(tensor: &Tensor<T>) -> Variable<T> {
    Variable::from(tensor.clone())
}

/// An operation for each way to hold its operands.
macro_rules! for_handles {
    (
        $trait:ident $method:ident, [$($t:ident: $bound:ident)?] $left:ty, $right:ty, $out:ty,
        |$a:ident, $b:ident| $value:expr
    ) => {
        impl$(<$t: $bound>)? $trait<&$right> for &$left {
            type Output = $out;
            #[track_caller]
            fn $method(self, $b: &$right) -> $out {
                let $a = self;
                $value
            }
        }
        impl$(<$t: $bound>)? $trait<$right> for &$left {
            type Output = $out;
            #[track_caller]
            fn $method(self, other: $right) -> $out {
                $trait::$method(self, &other)
            }
        }
        impl$(<$t: $bound>)? $trait<&$right> for $left {
            type Output = $out;
            #[track_caller]
            fn $method(self, other: &$right) -> $out {
                $trait::$method(&self, other)
            }
        }
        impl$(<$t: $bound>)? $trait<$right> for $left {
            type Output = $out;
            #[track_caller]
            fn $method(self, other: $right) -> $out {
                $trait::$method(&self, &other)
            }
        }
    };
}

pub(super) use for_handles;

/// An operation with numbers on the right.
macro_rules! before_numbers {
    (
        $trait:ident $method:ident, $bound:ident, $left:ty, $out:ty, |$a:ident, $c:ident| $value:expr
    ) => {
        impl<T: $bound, S: Scalar> $trait<S> for &$left
        where
            S::Number: CountsAs<<T as Calculated>::Scalar>,
        {
            type Output = $out;
            #[track_caller]
            fn $method(self, number: S) -> $out {
                let ($a, $c) = (self, number.number().counted());
                $value
            }
        }
        impl<T: $bound, S: Scalar> $trait<S> for $left
        where
            S::Number: CountsAs<<T as Calculated>::Scalar>,
        {
            type Output = $out;
            #[track_caller]
            fn $method(self, number: S) -> $out {
                $trait::$method(&self, number)
            }
        }
    };
}

/// An operation on floats with numbers on the left.
macro_rules! behind_numbers {
    ($trait:ident $method:ident, $right:ty, $out:ty, |$c:ident, $b:ident| $value:expr) => {
        for_handles!($trait $method, [T: Float] f64, $right, $out, |number, $b| {
            let $c = *number;
            $value
        });
        for_handles!($trait $method, [T: Float] i32, $right, $out, |number, $b| {
            let $c = f64::from(*number);
            $value
        });
    };
}

pub(super) use {before_numbers, behind_numbers};

/// What a method of variables gives for tensors.
macro_rules! computed {
    ($value:expr) => {{
        let _unrecorded = unrecorded();
        $value.value()
    }};
}

macro_rules! arithmetic {
    ($($trait:ident $method:ident $assign:ident $assign_method:ident $operator:tt;)*) => {$(
        for_handles!($trait $method, [T: Float] Variable<T>, Tensor<T>, Variable<T>, |a, b| {
            a $operator &constant(b)
        });
        for_handles!($trait $method, [T: Float] Tensor<T>, Variable<T>, Variable<T>, |a, b| {
            &constant(a) $operator b
        });
        behind_numbers!($trait $method, Tensor<T>, Tensor<T>, |c, a| computed!(c $operator &constant(a)));
        for_handles!($trait $method, [T: Float] Parameter<T>, Parameter<T>, Variable<T>, |a, b| {
            &**a $operator &**b
        });
        for_handles!($trait $method, [T: Float] Parameter<T>, Variable<T>, Variable<T>, |a, b| {
            &**a $operator b
        });
        for_handles!($trait $method, [T: Float] Variable<T>, Parameter<T>, Variable<T>, |a, b| {
            a $operator &**b
        });
        for_handles!($trait $method, [T: Float] Parameter<T>, Tensor<T>, Variable<T>, |a, b| {
            &**a $operator b
        });
        for_handles!($trait $method, [T: Float] Tensor<T>, Parameter<T>, Variable<T>, |a, b| {
            a $operator &**b
        });
        before_numbers!($trait $method, Float, Parameter<T>, Variable<T>, |a, c| &**a $operator c);
        behind_numbers!($trait $method, Parameter<T>, Variable<T>, |c, a| c $operator &**a);

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

for_handles!(Div div, [T: Float] Tensor<T>, Tensor<T>, Tensor<T>, |a, b| {
    computed!(&constant(a) / &constant(b))
});
before_numbers!(Div div, Float, Tensor<T>, Tensor<T>, |a, c| computed!(&constant(a) / c));

impl<T: Float> Neg for &Parameter<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn neg(self) -> Variable<T> {
        -&**self
    }
}
