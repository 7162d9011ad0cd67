//! What memory holds, and what of it can be computed with.

use std::cell::RefCell;
use std::fmt::Debug;
use std::thread::LocalKey;

use crate::gemm::Gemm;
use crate::real::{Fused, Lane, Real};

mod sealed {
    pub trait Sealed {}
}

/// A type that memory can hold: `f32`, `f64`, `i64` (indices) or `bool` (masks). All bytes zero is a value
/// of each.
pub trait Number:
    Copy + Send + Sync + PartialEq + PartialOrd + Debug + Default + 'static + sealed::Sealed
{
    /// 0, or false.
    const ZERO: Self;
    /// 1, or true.
    const ONE: Self;
    /// The name of the type as printed.
    const NAME: &'static str;
    /// The nearest value of this type; for bool, whether it is not 0.
    fn from_f64(value: f64) -> Self;
    /// The value as f64; an i64 beyond 2^53 is rounded.
    fn to_f64(self) -> f64;
}

/// A number with all arithmetic: `f32` or `f64`.
pub trait Arithmetic: Number + Real<Mask = bool> + Lane<Self> + Gemm {
    /// The number in code for machines where a multiply-add is one instruction.
    type Fused: Lane<Self>;
    /// The vectors of a thread that are used again.
    #[doc(hidden)]
    fn spare() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>>;
    /// Does what there is to do for this type.
    fn choose<B: ByType>(by: B, argument: B::Of<Self>);
}

/// A call that is written once for each type that computes: not generic, found from one that is.
pub trait ByType {
    /// The argument for a type.
    type Of<T: Arithmetic>;
    /// The call for single precision.
    fn f32(self, argument: Self::Of<f32>);
    /// The call for double precision.
    fn f64(self, argument: Self::Of<f64>);
}

macro_rules! arithmetic {
    ($type:ident) => {
        impl Arithmetic for $type {
            type Fused = Fused<$type>;
            fn spare() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>> {
                thread_local!(static SPARE: RefCell<Vec<Vec<$type>>> = const { RefCell::new(Vec::new()) });
                &SPARE
            }
            #[inline]
            fn choose<B: ByType>(by: B, argument: B::Of<Self>) {
                by.$type(argument);
            }
        }
    };
}

arithmetic!(f32);
arithmetic!(f64);

macro_rules! number {
    ($type:ty, $zero:expr, $one:expr, |$v:ident| $from:expr, |$s:ident| $to:expr) => {
        impl sealed::Sealed for $type {}
        impl Number for $type {
            const ZERO: Self = $zero;
            const ONE: Self = $one;
            const NAME: &'static str = stringify!($type);
            #[inline(always)]
            fn from_f64($v: f64) -> Self {
                $from
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                let $s = self;
                $to
            }
        }
    };
}

number!(f32, 0.0, 1.0, |v| v as f32, |s| f64::from(s));
number!(f64, 0.0, 1.0, |v| v, |s| s);
number!(i64, 0, 1, |v| v as i64, |s| s as f64);
number!(bool, false, true, |v| v != 0.0, |s| f64::from(u8::from(s)));
