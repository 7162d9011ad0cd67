//! What a tensor can hold.

use std::cell::RefCell;
use std::thread::LocalKey;

use wengert_kernel::formula::{Backward, Forward};
use wengert_kernel::number::{Arithmetic, Number};
use wengert_kernel::run::level::{self, Kernel};

use crate::io::AnyTensor;
use crate::pointwise::Pointwise;
use crate::pool::Pool;
use crate::tape::Recycler;
use crate::tensor::{Printed, Tensor};

/// A type that a tensor can hold: `f32`, `f64`, `i64` (indices) or `bool` (masks).
///
/// ```
/// use wengert_core::{Element, Tensor};
/// fn first<T: Element>(t: &Tensor<T>) -> T { t.to_vec()[0] }
/// assert_eq!(first(&Tensor::from([3i64, 4])), 3);
/// ```
pub trait Element: Number {
    #[doc(hidden)]
    fn any(tensor: Tensor<Self>) -> AnyTensor;
    #[doc(hidden)]
    fn printed(self) -> Printed;
    #[doc(hidden)]
    fn pool() -> &'static LocalKey<RefCell<Pool<Self>>>;
}

/// An element with derivatives: `f32` or `f64`.
pub trait Float: Element + Arithmetic {
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
    /// Runs a loop with the best instructions of this machine.
    fn dispatch<K: Kernel<Self>>(kernel: K) -> K::Output;
}

macro_rules! element {
    ($type:ty, $variant:ident, $printed:ident) => {
        impl Element for $type {
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

element!(f32, F32, Float);
element!(f64, F64, Float);
element!(i64, I64, Int);
element!(bool, Bool, Bool);

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
                level::dispatch(kernel)
            }
        }
    };
}

float!(f32, forward_f32, backward_f32);
float!(f64, forward_f64, backward_f64);
