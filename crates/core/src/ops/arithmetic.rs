//! `+ - * /` on variables that broadcast, and with scalars.

use std::borrow::Borrow;
use std::iter::Sum;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::ops::formula::Pointwise;
use crate::ops::numeric::Calculated;
use crate::ops::operands::{before_numbers, behind_numbers, for_handles};
use crate::ops::registry::{Listed, formula};
use crate::ops::scalar::{CountsAs, Scalar};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tensor::Tensor;

/// The formulas, named as they appear on the tape.
mod formula {
    use crate::pointwise;

    pointwise! { pub struct Add; fn eval(a, b) -> 1 { [a + b] } }
    pointwise! { pub struct Sub; fn eval(a, b) -> 1 { [a - b] } }
    pointwise! { pub struct Mul; fn eval(a, b) -> 1 { [a * b] } }
    pointwise! { pub struct Div; fn eval(a, b) -> 1 { [a / b] } }
    pointwise! { pub struct Neg; fn eval(a) -> 1 { [-a] } }
    pointwise! { pub struct AddScalar { c } fn eval(a) -> 1 { [a + c] } }
    pointwise! { pub struct MulScalar { c } fn eval(a) -> 1 { [a * c] } }
    pointwise! { pub struct DivScalar { c } fn eval(a) -> 1 { [a / c] } }
    pointwise! { pub struct ScalarSub { c } fn eval(a) -> 1 { [c - a] } }
    pointwise! { pub struct ScalarDiv { c } fn eval(a) -> 1 { [c / a] } }
    pointwise! { pub struct MulAdd; fn eval(x, a, b) -> 1 { [x.mul_add(a, b)] } }
    pointwise! { pub struct Scale; fn eval(t, k) -> 1 { [t.scale(k)] } }
}

macro_rules! binary {
    ($($trait:ident $method:ident;)*) => {$(
        for_handles!($trait $method, [T: Float] Variable<T>, Variable<T>, Variable<T>, |a, b| {
            formula::$trait.apply1([a, b])
        });
    )*};
}

binary! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}

macro_rules! scalar {
    ($trait:ident $method:ident, |$c:ident| $right:expr, $left:ident) => {
        before_numbers!($trait $method, Float, Variable<T>, Variable<T>, |x, $c| $right.apply1([x]));
        behind_numbers!($trait $method, Variable<T>, Variable<T>, |c, x| formula::$left { c }.apply1([x]));
    };
}

scalar!(Add add, |c| formula::AddScalar { c }, AddScalar);
scalar!(Sub sub, |c| formula::AddScalar { c: -c }, ScalarSub);
scalar!(Mul mul, |c| formula::MulScalar { c }, MulScalar);
scalar!(Div div, |c| formula::DivScalar { c }, ScalarDiv);

impl<T: Float> Neg for &Variable<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn neg(self) -> Variable<T> {
        formula::Neg.apply1([self])
    }
}

impl<T: Float> Neg for Variable<T> {
    type Output = Variable<T>;
    #[track_caller]
    fn neg(self) -> Variable<T> {
        -&self
    }
}

impl<T: Float> Variable<T> {
    /// `self * factor`, but exactly zero where `self` is zero: how a cotangent meets a local derivative
    /// that may not be finite. See [`Real::scale`](crate::Real::scale).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let t = Variable::new(Tensor::from([0.0f64, 2.0]));
    /// let k = Variable::new(Tensor::from([f64::INFINITY, 3.0]));
    /// assert_eq!(t.scale(&k).to_vec(), vec![0.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn scale(&self, factor: &Variable<T>) -> Variable<T> {
        formula::Scale.apply1([self, factor])
    }

    /// `self * a + b`, rounded as [`Real::mul_add`](crate::Real::mul_add) is.
    #[track_caller]
    pub(crate) fn mul_add(&self, a: &Variable<T>, b: &Variable<T>) -> Variable<T> {
        formula::MulAdd.apply1([self, a, b])
    }
}

/// The sum of variables that broadcast with each other, one after the other, as of the losses of several
/// batches: 0 of none.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// let losses = [0.5f32, 1.5, 2.0].map(|loss| Variable::new(Tensor::scalar(loss)));
/// assert_eq!(losses.iter().sum::<Variable>().item()?, 4.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
impl<T: Float, V: Borrow<Variable<T>>> Sum<V> for Variable<T> {
    #[track_caller]
    fn sum<I: Iterator<Item = V>>(terms: I) -> Self {
        let mut sum: Option<Variable<T>> = None;
        for term in terms {
            sum = Some(match sum {
                None => term.borrow().clone(),
                Some(sum) => &sum + term.borrow(),
            });
        }
        sum.unwrap_or_else(|| Tensor::scalar(T::ZERO).into())
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        formula!(formula Add [Any Any] exact),
        formula!(formula Sub [Any Any] exact),
        formula!(formula Mul [Any Any]),
        formula!(formula Div [Any NonZero]),
        formula!(formula Neg [Any] exact),
        formula!(formula AddScalar { c: [0.0, 1.5, -0.3] } [Any] exact),
        formula!(formula MulScalar { c: [1.0, 0.5, -2.3] } [Any]),
        formula!(formula DivScalar { c: [1.0, 2.0, -0.7] } [Any]),
        formula!(formula ScalarSub { c: [0.0, 1.5] } [Any] exact),
        formula!(formula ScalarDiv { c: [1.0, -0.5] } [NonZero]),
        formula!(formula MulAdd [Any Any Any]),
        formula!(formula Scale [NonZero Any]),
    ]
}
