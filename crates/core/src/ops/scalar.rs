//! Numbers beside variables and tensors of floats.

/// A number on the right of a variable, a parameter or a tensor of floats in `+ - * /` and their assigning
/// forms: `f64`, `f32` or `i32`. Whatever the tensor holds, it counts as the `f64` of its value.
///
/// On the left stand `f64` and `i32`: with a third type there the compiler could not tell what `2.0` in
/// `(2.0 * x).sum()` is. So a rate of `f32` is written behind, `x * lr`, or as `f64::from(lr) * x`. Beside
/// `Tensor<i64>` there is `i64` on either side.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// let (lr, x) = (0.5f32, Variable::new(Tensor::from([2.0f64, 4.0])));
/// assert_eq!((&x * lr).to_vec(), [1.0, 2.0]);
/// assert_eq!((1 - x * 2.0 / lr).sum().item()?, -22.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` doesn't stand beside a variable or a tensor in arithmetic",
    label = "expected `f64`, `f32`, `i32`, or a variable, parameter or tensor of the same numbers",
    note = "another number is converted first, as by `n as f64`; beside `Tensor<i64>` there is `i64`"
)]
pub trait Scalar: Copy {
    /// The number as it is computed with.
    fn scalar(self) -> f64;
}

macro_rules! scalar {
    ($($number:ty)*) => {$(
        impl Scalar for $number {
            #[inline]
            fn scalar(self) -> f64 {
                self.into()
            }
        }
        impl Scalar for &$number {
            #[inline]
            fn scalar(self) -> f64 {
                (*self).into()
            }
        }
    )*};
}

scalar!(f64 f32 i32);
