//! What a tensor can hold.

use std::cell::RefCell;
use std::fmt::Debug;
use std::thread::LocalKey;

use crate::io::AnyTensor;
use crate::kernel::gemm::Gemm;
use crate::kernel::level::{Kernel, dispatch};
use crate::kernel::pointwise::{Backward, Forward};
use crate::pointwise::Pointwise;
use crate::pool::Pool;
use crate::real::{Lane, Real};
use crate::tape::Recycler;
use crate::tensor::{Printed, Tensor};

mod sealed {
    pub trait Sealed {}
}

/// A type that a tensor can hold: `f32`, `f64`, `i64` (indices) or `bool` (masks).
///
/// ```
/// use wengert_core::{Element, Tensor};
/// fn first<T: Element>(t: &Tensor<T>) -> T { t.to_vec()[0] }
/// assert_eq!(first(&Tensor::from([3i64, 4])), 3);
/// ```
pub trait Element:
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
    #[doc(hidden)]
    fn any(tensor: Tensor<Self>) -> AnyTensor;
    #[doc(hidden)]
    fn printed(self) -> Printed;
    #[doc(hidden)]
    fn pool() -> &'static LocalKey<RefCell<Pool<Self>>>;
}

/// An element with derivatives: `f32` or `f64`.
pub trait Float: Element + Real<Mask = bool> + Lane<Self> + Gemm {
    #[doc(hidden)]
    fn recycler() -> &'static LocalKey<Recycler<Self>>;
    /// Runs a formula's kernel for this type, compiled where the formula is defined.
    #[doc(hidden)]
    fn forward<P: Pointwise<I, O>, const I: usize, const O: usize>(
        formula: &P,
        job: &Forward<'_, Self, I, O>,
    );
    #[doc(hidden)]
    fn backward<P: Pointwise<I, O>, const I: usize, const O: usize>(
        formula: &P,
        job: &Backward<'_, Self, I, O>,
    );
    #[doc(hidden)]
    fn dispatch<K: Kernel<Self>>(kernel: K) -> K::Output;
}

macro_rules! element {
    ($type:ty, $variant:ident, $zero:expr, $one:expr, $printed:ident, |$v:ident| $from:expr, |$s:ident| $to:expr) => {
        impl sealed::Sealed for $type {}
        impl Element for $type {
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
            fn any(tensor: Tensor<Self>) -> AnyTensor {
                AnyTensor::$variant(tensor)
            }
            fn printed(self) -> Printed {
                Printed::$printed(self.into())
            }
            #[inline]
            fn pool() -> &'static LocalKey<RefCell<Pool<Self>>> {
                thread_local!(static POOL: RefCell<Pool<$type>> = const { RefCell::new(Pool::new()) });
                &POOL
            }
        }
    };
}

element!(f32, F32, 0.0, 1.0, Float, |v| v as f32, |s| f64::from(s));
element!(f64, F64, 0.0, 1.0, Float, |v| v, |s| s);
element!(i64, I64, 0, 1, Int, |v| v as i64, |s| s as f64);
element!(bool, Bool, false, true, Bool, |v| v != 0.0, |s| f64::from(u8::from(s)));

macro_rules! float {
    ($type:ty, $forward:ident, $backward:ident) => {
        impl Float for $type {
            #[inline]
            fn recycler() -> &'static LocalKey<Recycler<Self>> {
                thread_local!(static NODES: Recycler<$type> = const { Recycler::new() });
                &NODES
            }
            fn forward<P: Pointwise<I, O>, const I: usize, const O: usize>(formula: &P, job: &Forward<'_, Self, I, O>) {
                formula.$forward(job);
            }
            fn backward<P: Pointwise<I, O>, const I: usize, const O: usize>(formula: &P, job: &Backward<'_, Self, I, O>) {
                formula.$backward(job);
            }
            #[inline]
            fn dispatch<K: Kernel<Self>>(kernel: K) -> K::Output {
                dispatch(kernel)
            }
        }
    };
}

float!(f32, forward_f32, backward_f32);
float!(f64, forward_f64, backward_f64);
