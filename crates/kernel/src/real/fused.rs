//! Plain and fused numbers, and how a kernel is generic over the two.

use super::Real;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number `T` in code compiled for a machine that has fused multiply-add.
///
/// [`Real::mul_add`] of a `Fused<T>` is the one instruction, rounding once; that of a plain `T` is
/// a product and a sum, because without the instruction a fused multiply-add is a slow library
/// call. The elementary functions are the same polynomials in both, so their results differ by
/// roundings only. A `Fused` outside a function with the `fma` target feature is correct but slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Fused<T>(pub T);

/// A number at some level of the machine's arithmetic: `T` itself or [`Fused<T>`].
///
/// A kernel over slices of `T` computes with `L: Lane<T>`, and is instantiated once per level.
pub trait Lane<T>: Real<Mask = bool> {
    /// `x` as a number of this level.
    fn wrap(x: T) -> Self;
    /// The stored number.
    fn unwrap(self) -> T;
}

macro_rules! plain_lane {
    ($($float:ident),*) => {$(
        impl Lane<$float> for $float {
            #[inline(always)]
            fn wrap(x: $float) -> $float {
                x
            }

            #[inline(always)]
            fn unwrap(self) -> $float {
                self
            }
        }
    )*};
}

plain_lane!(f32, f64);

impl<T> Lane<T> for Fused<T>
where
    Fused<T>: Real<Mask = bool>,
{
    #[inline(always)]
    fn wrap(x: T) -> Self {
        Fused(x)
    }

    #[inline(always)]
    fn unwrap(self) -> T {
        self.0
    }
}

macro_rules! forward_operator {
    ($($operator:ident $method:ident),*) => {$(
        impl<T: $operator<Output = T>> $operator for Fused<T> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Fused(self.0.$method(other.0))
            }
        }
    )*};
}

forward_operator!(Add add, Sub sub, Mul mul, Div div);

impl<T: Neg<Output = T>> Neg for Fused<T> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Fused(-self.0)
    }
}
