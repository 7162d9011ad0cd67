//! Numbers beside variables and tensors.

/// A number on the right of a tensor, a variable or a parameter in `+ - * /` and their assigning forms:
/// beside floats `f64`, `f32` or `i32`, which count as the `f64` of their value whatever the tensor holds;
/// beside `i64` an `i64` or `i32` (a literal beyond an `i32` says `i64`: `t * 5_000_000_000i64`).
///
/// On the left of floats stand `f64` and `i32`: with a third type there the compiler could not tell what
/// `2.0` in `(2.0 * x).sum()` is. So a rate of `f32` is written behind, `x * lr`, or as `f64::from(lr) * x`.
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
    label = "expected a number, or a variable, parameter or tensor of the same elements",
    note = "beside `f32` and `f64` there are `f64`, `f32` and `i32`, beside `i64` there are `i64` and `i32`; \
            another number is converted first, as by `n as f64`"
)]
pub trait Scalar: Copy {
    /// The number itself, if this is a reference to it.
    type Number;
    /// The number.
    fn number(self) -> Self::Number;
}

/// A number whose value an `N` holds exactly: what stands beside tensors that compute with single numbers as
/// `N`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` doesn't stand beside a tensor that computes with single numbers as `{N}`",
    label = "expected a number that `{N}` holds exactly",
    note = "`t.cast::<f64>()` makes floats of a `Tensor<i64>`; beside floats an `i64` is written `n as f64`"
)]
pub trait CountsAs<N> {
    /// The number as `N`.
    fn counted(self) -> N;
}

macro_rules! counts {
    ($($number:ty, as $as:ty;)*) => {$(
        impl CountsAs<$as> for $number {
            #[inline]
            fn counted(self) -> $as {
                self.into()
            }
        }
    )*};
}

counts! {
    f64, as f64;
    f32, as f64;
    i32, as f64;
    i32, as i64;
    i64, as i64;
}

macro_rules! scalar {
    ($($number:ty)*) => {$(
        impl Scalar for $number {
            type Number = $number;
            #[inline]
            fn number(self) -> $number {
                self
            }
        }
        impl Scalar for &$number {
            type Number = $number;
            #[inline]
            fn number(self) -> $number {
                *self
            }
        }
    )*};
}

scalar!(f64 f32 i32 i64);
