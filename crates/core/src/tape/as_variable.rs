//! What stands for a variable, and variables of one number.

use super::{Float, Parameter, Variable};
use crate::tensor::Tensor;

/// A variable, or what stands for one in a call: a [`Parameter`], or a [`Tensor`], which is a constant; each
/// as it is or by reference.
///
/// ```
/// use wengert_core::{AsVariable, Tensor, Variable};
/// fn energy(x: &impl AsVariable<f32>) -> Variable { x.as_variable().square().sum() }
/// let x = Tensor::from([3.0f32, 4.0]);
/// assert_eq!(energy(&x).item()?, 25.0);
/// assert_eq!(energy(&Variable::new(x)).item()?, 25.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no variable of `{T}`",
    label = "expected a variable, a parameter or a tensor of `{T}`, or a reference to one"
)]
pub trait AsVariable<T: Float> {
    /// The variable: a handle to the same one.
    fn as_variable(&self) -> Variable<T>;
}

impl<T: Float> AsVariable<T> for Variable<T> {
    #[inline]
    fn as_variable(&self) -> Variable<T> {
        self.clone()
    }
}

impl<T: Float> AsVariable<T> for Parameter<T> {
    #[inline]
    fn as_variable(&self) -> Variable<T> {
        Variable::clone(self)
    }
}

impl<T: Float> AsVariable<T> for Tensor<T> {
    #[inline]
    fn as_variable(&self) -> Variable<T> {
        Variable::from(self.clone())
    }
}

impl<T: Float, V: AsVariable<T>> AsVariable<T> for &V {
    #[inline]
    fn as_variable(&self) -> Variable<T> {
        (**self).as_variable()
    }
}

impl<T: Float> Variable<T> {
    /// A constant of zeros ([`Tensor::zeros`]); [`Variable::requires_grad_`] makes a leaf of it.
    ///
    /// ```
    /// # use wengert_core::Variable;
    /// let h: Variable = Variable::zeros([2, 3]);
    /// assert_eq!(h.to_vec(), [0.0; 6]);
    /// ```
    #[track_caller]
    pub fn zeros(shape: impl AsRef<[usize]>) -> Self {
        Tensor::zeros(shape).into()
    }

    /// A constant of ones ([`Tensor::ones`]).
    ///
    /// ```
    /// # use wengert_core::Variable;
    /// let x = Variable::<f64>::ones([2]).requires_grad_(true);
    /// assert_eq!(x.sum().item()?, 2.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    pub fn ones(shape: impl AsRef<[usize]>) -> Self {
        Tensor::ones(shape).into()
    }

    /// A constant whose elements are all `value` ([`Tensor::full`]).
    ///
    /// ```
    /// # use wengert_core::Variable;
    /// assert_eq!(Variable::full([2, 2], 0.5f32).sum().item()?, 2.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "constant")]
    #[track_caller]
    pub fn full(shape: impl AsRef<[usize]>, value: T) -> Self {
        Tensor::full(shape, value).into()
    }
}
