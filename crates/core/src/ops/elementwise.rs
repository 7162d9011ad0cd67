//! Functions of single elements, each one formula.

use crate::ops::formula::Pointwise;
use crate::ops::operands::constant;
use crate::ops::registry::{Listed, formula};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tensor::Tensor;

/// The formulas, named as they appear on the tape.
mod formula {
    use crate::pointwise;

    pointwise! { pub struct Exp; fn eval(x) -> 1 { [x.exp()] } }
    pointwise! { pub struct ExpM1; fn eval(x) -> 1 { [x.exp_m1()] } }
    pointwise! { pub struct Ln; fn eval(x) -> 1 { [x.ln()] } }
    pointwise! { pub struct Ln1p; fn eval(x) -> 1 { [x.ln_1p()] } }
    pointwise! { pub struct Sqrt; fn eval(x) -> 1 { [x.sqrt()] } }
    pointwise! { pub struct Rsqrt; fn eval(x) -> 1 { [1.0 / x.sqrt()] } }
    pointwise! { pub struct Square; fn eval(x) -> 1 { [x * x] } }
    pointwise! { pub struct Recip; fn eval(x) -> 1 { [1.0 / x] } }
    pointwise! { pub struct Abs; fn eval(x) -> 1 { [x.abs()] } }
    pointwise! { pub struct Sin; fn eval(x) -> 1 { [x.sin()] } }
    pointwise! { pub struct Cos; fn eval(x) -> 1 { [x.cos()] } }
    pointwise! { pub struct Erf; fn eval(x) -> 1 { [x.erf()] } }
    pointwise! { pub struct Ndtr; fn eval(x) -> 1 { [x.ndtr()] } }
    pointwise! { pub struct Atan2; fn eval(y, x) -> 1 { [y.atan2(x)] } }
    pointwise! { pub struct Tanh; fn eval(x) -> 1 { [x.tanh()] } }
    pointwise! { pub struct Sigmoid; fn eval(x) -> 1 { [x.sigmoid()] } }
    pointwise! { pub struct Pow; fn eval(x, exponent) -> 1 { [x.pow(exponent)] } }
    pointwise! { pub struct PowScalar { exponent } fn eval(x) -> 1 { [x.pow(exponent)] } }
    pointwise! { pub struct Maximum; fn eval(a, b) -> 1 { [a.maximum(b)] } }
    pointwise! { pub struct Minimum; fn eval(a, b) -> 1 { [a.minimum(b)] } }
    pointwise! { pub struct Clamp { min, max } fn eval(x) -> 1 { [x.clamp(min, max)] } }
    // The exponential of a number that is not positive. Equal infinities have no difference, so they are
    // apart.
    pointwise! {
        pub struct Logaddexp;
        fn eval(a, b) -> 1 {
            [{
                let (less, same) = (a.lt(b), a.eq(b) & a.abs().eq(R::lit(f64::INFINITY)));
                let (larger, smaller) = (R::select(less, b, a), R::select(less, a, b));
                R::select(same, a.maximum(b), larger + (smaller - larger).exp().ln_1p())
            }]
        }
    }
}

macro_rules! unary {
    ($module:ident: $($(#[$doc:meta])* $method:ident $formula:ident;)*) => {
        impl<T: Float> Variable<T> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $method(&self) -> Variable<T> {
                $module::$formula.apply1([self])
            }
        )*}
    };
}
pub(super) use unary;

unary! { formula:
    /// `e^x`, element by element (`torch.exp`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([0.0f32])).exp().to_vec(), vec![1.0]);
    /// ```
    exp Exp;
    /// `e^x - 1`, accurate near 0 (`torch.expm1`).
    #[doc(alias = "expm1")]
    exp_m1 ExpM1;
    /// Natural logarithm (`torch.log`).
    ln Ln;
    /// `ln(1 + x)`, accurate near 0 (`torch.log1p`).
    #[doc(alias = "log1p")]
    ln_1p Ln1p;
    /// Square root; the derivative at 0 is infinite (`torch.sqrt`).
    sqrt Sqrt;
    /// `1 / sqrt(x)` (`torch.rsqrt`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([4.0f32])).rsqrt().to_vec(), vec![0.5]);
    /// ```
    rsqrt Rsqrt;
    /// `x^2` (`torch.square`).
    square Square;
    /// `1 / x` (`torch.reciprocal`).
    #[doc(alias = "reciprocal")]
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
    /// Error function, `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to `x` (`torch.erf`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([0.0f64, 0.5]));
    /// assert_eq!(x.erf().to_vec(), vec![0.0, 0.5204998778130465]);
    /// ```
    erf Erf;
    /// The probability that a standard normal number is below `x`, accurate in both tails
    /// (`torch.special.ndtr`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([0.0f32])).ndtr().to_vec(), vec![0.5]);
    /// ```
    ndtr Ndtr;
}

impl<T: Float> Variable<T> {
    /// Natural logarithm, under its name in PyTorch (`torch.log`): [`Variable::ln`].
    #[track_caller]
    pub fn log(&self) -> Variable<T> {
        self.ln()
    }

    /// `x^y`, element by element, for a number `y` or a variable that broadcasts (`torch.pow`). The
    /// derivative in the base is 0 where the exponent is 0; in the exponent, 0 where the base is 0 and
    /// the exponent is not negative.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([2.0f64, 3.0]));
    /// assert_eq!((x.pow(3).to_vec(), x.pow(&x).to_vec()), (vec![8.0, 27.0], vec![4.0, 27.0]));
    /// ```
    #[doc(alias = "power")]
    #[track_caller]
    pub fn pow(&self, exponent: impl Exponent<T>) -> Variable<T> {
        exponent.power_of(self)
    }

    /// `x^y`, element by element, for one exponent (`torch.pow`).
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
        formula::PowScalar { exponent }.apply1([self])
    }

    /// The angle of the point `(x, self)`, in `[-pi, pi]`, broadcasting; the derivatives at the origin are
    /// 0 (`torch.atan2`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let y = Variable::new(Tensor::from([1.0f64, -0.0]));
    /// let x = Variable::new(Tensor::from([0.0f64, -1.0]));
    /// assert_eq!(y.atan2(&x).to_vec(), vec![std::f64::consts::FRAC_PI_2, -std::f64::consts::PI]);
    /// ```
    #[track_caller]
    pub fn atan2(&self, x: &Variable<T>) -> Variable<T> {
        formula::Atan2.apply1([self, x])
    }

    /// `ln(e^a + e^b)`, element by element, broadcasting, for numbers of any size (`torch.logaddexp`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let a = Variable::new(Tensor::from([1000.0f64, f64::NEG_INFINITY]));
    /// assert_eq!(a.logaddexp(&a).to_vec(), vec![1000.0 + 2f64.ln(), f64::NEG_INFINITY]);
    /// ```
    #[track_caller]
    pub fn logaddexp(&self, other: &Variable<T>) -> Variable<T> {
        formula::Logaddexp.apply1([self, other])
    }

    /// The larger of two elements, broadcasting; ties share the derivative half and half (`torch.maximum`).
    #[doc(alias = "fmax")]
    #[track_caller]
    pub fn maximum(&self, other: &Variable<T>) -> Variable<T> {
        formula::Maximum.apply1([self, other])
    }

    /// The smaller of two elements, broadcasting; ties share the derivative half and half
    /// (`torch.minimum`).
    #[doc(alias = "fmin")]
    #[track_caller]
    pub fn minimum(&self, other: &Variable<T>) -> Variable<T> {
        formula::Minimum.apply1([self, other])
    }

    /// Each element held inside `[min, max]`, `min(max(x, min), max)` (`torch.clamp`): `max` everywhere if
    /// it is below `min`, NaN everywhere if a bound is. At the bounds the derivative is 1, where
    /// PyTorch 2.15 gives 0.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-3.0f32, 0.5]));
    /// assert_eq!(x.clamp(-1.0, 1.0).to_vec(), vec![-1.0, 0.5]);
    /// assert_eq!(x.clamp(2.0, 1.0).to_vec(), vec![1.0, 1.0]);
    /// ```
    #[doc(alias = "clip")]
    #[track_caller]
    pub fn clamp(&self, min: f64, max: f64) -> Variable<T> {
        formula::Clamp { min, max }.apply1([self])
    }
}

/// An exponent of [`Variable::pow`]: a number, or a variable or tensor that broadcasts with the base.
pub trait Exponent<T: Float> {
    /// `base^self`, element by element.
    fn power_of(&self, base: &Variable<T>) -> Variable<T>;
}

macro_rules! number {
    ($($number:ty)*) => {$(
        impl<T: Float> Exponent<T> for $number {
            #[track_caller]
            fn power_of(&self, base: &Variable<T>) -> Variable<T> {
                base.pow_scalar((*self).into())
            }
        }
    )*};
}

number!(f64 f32 i32);

impl<T: Float> Exponent<T> for Tensor<T> {
    #[track_caller]
    fn power_of(&self, base: &Variable<T>) -> Variable<T> {
        formula::Pow.apply1([base, &constant(self)])
    }
}

impl<T: Float> Exponent<T> for Variable<T> {
    #[track_caller]
    fn power_of(&self, base: &Variable<T>) -> Variable<T> {
        formula::Pow.apply1([base, self])
    }
}

impl<T: Float, E: Exponent<T>> Exponent<T> for &E {
    #[track_caller]
    fn power_of(&self, base: &Variable<T>) -> Variable<T> {
        (*self).power_of(base)
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        formula!(formula Exp [Any]),
        formula!(formula ExpM1 [Any]),
        formula!(formula Ln [Positive]),
        formula!(formula Ln1p [Positive]),
        formula!(formula Sqrt [Positive]),
        formula!(formula Rsqrt [Positive]),
        formula!(formula Square [Any]),
        formula!(formula Recip [NonZero]),
        formula!(formula Abs [NonZero] exact),
        formula!(formula Sin [Any]),
        formula!(formula Cos [Any]),
        formula!(formula Erf [Any]),
        formula!(formula Ndtr [Any]),
        formula!(formula Atan2 [NonZero NonZero]),
        formula!(formula Tanh [Any]),
        formula!(formula Sigmoid [Any]),
        formula!(formula Pow [Positive Any]),
        formula!(formula PowScalar { exponent: [3.0, 0.5, -1.0] } [Positive]),
        formula!(formula Maximum [Distinct Distinct]),
        formula!(formula Minimum [Distinct Distinct]),
        formula!(formula Clamp { min: [-2.5, -10.0], max: [2.5, 10.0] } [Any] exact),
        formula!(formula Logaddexp [Any Any]),
    ]
}
