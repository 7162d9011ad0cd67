//! Functions of single elements, each one formula.

use crate::element::Float;
use crate::pointwise::Pointwise;
use crate::variable::Variable;

/// The formulas, named as they appear on the tape.
mod formula {
    use crate::pointwise;

    pointwise! { pub struct Exp; fn eval(x) -> 1 { [x.exp()] } }
    pointwise! { pub struct ExpM1; fn eval(x) -> 1 { [x.exp_m1()] } }
    pointwise! { pub struct Ln; fn eval(x) -> 1 { [x.ln()] } }
    pointwise! { pub struct Ln1p; fn eval(x) -> 1 { [x.ln_1p()] } }
    pointwise! { pub struct Sqrt; fn eval(x) -> 1 { [x.sqrt()] } }
    pointwise! { pub struct Square; fn eval(x) -> 1 { [x * x] } }
    pointwise! { pub struct Recip; fn eval(x) -> 1 { [1.0 / x] } }
    pointwise! { pub struct Abs; fn eval(x) -> 1 { [x.abs()] } }
    pointwise! { pub struct Sin; fn eval(x) -> 1 { [x.sin()] } }
    pointwise! { pub struct Cos; fn eval(x) -> 1 { [x.cos()] } }
    pointwise! { pub struct Tanh; fn eval(x) -> 1 { [x.tanh()] } }
    pointwise! { pub struct Sigmoid; fn eval(x) -> 1 { [x.sigmoid()] } }
    pointwise! { pub struct Relu; fn eval(x) -> 1 { [x.relu()] } }
    pointwise! { pub struct Softplus; fn eval(x) -> 1 { [x.softplus()] } }
    pointwise! { pub struct Pow; fn eval(x, exponent) -> 1 { [x.pow(exponent)] } }
    pointwise! { pub struct PowScalar { exponent } fn eval(x) -> 1 { [x.pow(exponent)] } }
    pointwise! { pub struct Maximum; fn eval(a, b) -> 1 { [a.maximum(b)] } }
    pointwise! { pub struct Minimum; fn eval(a, b) -> 1 { [a.minimum(b)] } }
    pointwise! {
        pub struct Clamp { min, max }
        fn eval(x) -> 1 { [R::select(x.lt(min), min, R::select(max.lt(x), max, x))] }
    }
}

macro_rules! unary {
    ($($(#[$doc:meta])* $method:ident $formula:ident;)*) => {
        impl<T: Float> Variable<T> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $method(&self) -> Variable<T> {
                let [out] = formula::$formula.apply([self]);
                out
            }
        )*}
    };
}

unary! {
    /// `e^x`, element by element (`torch.exp`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([0.0f32])).exp().to_vec(), vec![1.0]);
    /// ```
    exp Exp;
    /// `e^x - 1`, accurate near 0 (`torch.expm1`).
    exp_m1 ExpM1;
    /// Natural logarithm (`torch.log`).
    ln Ln;
    /// `ln(1 + x)`, accurate near 0 (`torch.log1p`).
    ln_1p Ln1p;
    /// Square root; the derivative at 0 is infinite (`torch.sqrt`).
    sqrt Sqrt;
    /// `x^2` (`torch.square`).
    square Square;
    /// `1 / x` (`torch.reciprocal`).
    recip Recip;
    /// Absolute value; the derivative at 0 is 0 (`torch.abs`).
    abs Abs;
    /// Sine (`torch.sin`).
    sin Sin;
    /// Cosine (`torch.cos`).
    cos Cos;
    /// Hyperbolic tangent (`torch.tanh`).
    tanh Tanh;
    /// `1 / (1 + e^-x)` (`torch.sigmoid`).
    sigmoid Sigmoid;
    /// `max(x, 0)`; the derivative at 0 is 0 (`torch.relu`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([-1.0f32, 2.0])).relu().to_vec(), vec![0.0, 2.0]);
    /// ```
    relu Relu;
    /// `ln(1 + e^x)`, linear above 20 (`torch.nn.functional.softplus`).
    softplus Softplus;
}

impl<T: Float> Variable<T> {
    /// `x^y`, element by element, broadcasting (`torch.pow`). The derivative in the base is 0 where the exponent is
    /// 0; in the exponent, 0 where the base is 0 and the exponent is not negative.
    #[track_caller]
    pub fn pow(&self, exponent: &Variable<T>) -> Variable<T> {
        let [out] = formula::Pow.apply([self, exponent]);
        out
    }

    /// `x^y` for one exponent.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([2.0f64])).pow_scalar(3.0).to_vec(), vec![8.0]);
    /// ```
    #[track_caller]
    pub fn pow_scalar(&self, exponent: f64) -> Variable<T> {
        if exponent == 2.0 {
            return self.square();
        }
        let [out] = formula::PowScalar { exponent }.apply([self]);
        out
    }

    /// The larger of two elements, broadcasting; ties share the derivative half and half (`torch.maximum`).
    #[track_caller]
    pub fn maximum(&self, other: &Variable<T>) -> Variable<T> {
        let [out] = formula::Maximum.apply([self, other]);
        out
    }

    /// The smaller of two elements, broadcasting; ties share the derivative half and half (`torch.minimum`).
    #[track_caller]
    pub fn minimum(&self, other: &Variable<T>) -> Variable<T> {
        let [out] = formula::Minimum.apply([self, other]);
        out
    }

    /// Each element held inside `[min, max]`; at the bounds the derivative is 1 (`torch.clamp`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-3.0f32, 0.5]));
    /// assert_eq!(x.clamp(-1.0, 1.0).to_vec(), vec![-1.0, 0.5]);
    /// ```
    #[track_caller]
    pub fn clamp(&self, min: f64, max: f64) -> Variable<T> {
        let [out] = formula::Clamp { min, max }.apply([self]);
        out
    }
}
