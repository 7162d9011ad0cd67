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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type of numbers with derivatives",
    label = "expected `f32` or `f64`",
    note = "variables, parameters and modules hold `f32` or `f64`; for indices there is `Tensor<i64>`, for \
            masks `Tensor<bool>`"
)]
pub trait Float: Element + Arithmetic {
    #[doc(hidden)]
    fn recycler() -> &'static LocalKey<Recycler<Self>>;

    /// Calls what is compiled once for this type.
    #[doc(hidden)]
    #[track_caller]
    fn once<C: Once>(call: C, arguments: C::Arguments<Self>) -> C::Result<Self>;

    /// Runs a loop with the best instructions of this machine.
    #[inline]
    fn dispatch<K: Kernel<Self>>(kernel: K) -> K::Output {
        level::dispatch(kernel)
    }
}

/// A call that is not generic, found from one that is: what only depends on the type of numbers is compiled
/// for both in this library, and not again by everybody who calls it.
#[doc(hidden)]
pub trait Once {
    /// The call's arguments.
    type Arguments<T: Float>;
    /// The call's result.
    type Result<T: Float>;
    /// The call for single precision.
    #[track_caller]
    fn f32(self, arguments: Self::Arguments<f32>) -> Self::Result<f32>;
    /// The call for double precision.
    #[track_caller]
    fn f64(self, arguments: Self::Arguments<f64>) -> Self::Result<f64>;
}

/// Defines a generic function that calls another one, of the same arguments, as [`Once`] says.
macro_rules! once {
    (
        $(#[$meta:meta])* $vis:vis fn $name:ident<$($life:lifetime,)? T>(
            $($argument:ident: $type:ty),* $(,)?
        ) -> $result:ty = $inner:path;
    ) => {
        $(#[$meta])*
        #[inline]
        #[track_caller]
        $vis fn $name<$($life,)? T: $crate::tape::Float>($($argument: $type),*) -> $result {
            struct Call$(<$life>)?(std::marker::PhantomData<($(&$life (),)?)>);

            impl$(<$life>)? $crate::tape::float::Once for Call$(<$life>)? {
                type Arguments<T: $crate::tape::Float> = ($($type,)*);
                type Result<T: $crate::tape::Float> = $result;

                fn f32(self, ($($argument,)*): Self::Arguments<f32>) -> Self::Result<f32> {
                    $inner($($argument),*)
                }

                fn f64(self, ($($argument,)*): Self::Arguments<f64>) -> Self::Result<f64> {
                    $inner($($argument),*)
                }
            }

            T::once(Call(std::marker::PhantomData), ($($argument,)*))
        }
    };
}
pub(crate) use once;

macro_rules! float {
    ($type:ident) => {
        impl Float for $type {
            #[inline]
            fn recycler() -> &'static LocalKey<Recycler<Self>> {
                thread_local!(static NODES: Recycler<$type> = const { Recycler::new() });
                &NODES
            }

            #[inline]
            #[track_caller]
            fn once<C: Once>(call: C, arguments: C::Arguments<Self>) -> C::Result<Self> {
                call.$type(arguments)
            }
        }
    };
}

float!(f32);
float!(f64);
