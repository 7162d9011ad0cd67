//! What a variable can hold.

use std::thread::LocalKey;

use wengert_kernel::number::Arithmetic;
use wengert_kernel::run::level::{self, Kernel};

use super::recycle::Recycler;
use crate::tensor::Element;

/// An element with derivatives: `f32` or `f64`.
///
/// ```
/// use wengert_core::{Float, Variable};
/// fn energy<T: Float>(x: &Variable<T>) -> Variable<T> { x.square().sum() * 0.5 }
/// assert_eq!(energy(&Variable::<f64>::from(wengert_core::Tensor::from([3.0, 4.0]))).item()?, 12.5);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Float: Element + Arithmetic {
    #[doc(hidden)]
    fn recycler() -> &'static LocalKey<Recycler<Self>>;

    /// Runs a loop with the best instructions of this machine.
    #[inline]
    fn dispatch<K: Kernel<Self>>(kernel: K) -> K::Output {
        level::dispatch(kernel)
    }
}

macro_rules! float {
    ($type:ty) => {
        impl Float for $type {
            #[inline]
            fn recycler() -> &'static LocalKey<Recycler<Self>> {
                thread_local!(static NODES: Recycler<$type> = const { Recycler::new() });
                &NODES
            }
        }
    };
}

float!(f32);
float!(f64);
