//! Functions of single elements, and of pairs of elements that broadcast.

use super::functions;
use crate::base::mode::unrecorded;
use crate::ops::elementwise::Exponent;
use crate::ops::operands::constant;
use crate::tape::Float;
use crate::tensor::Tensor;

functions! {
    /// `e^x` of each element (`torch.exp`).
    exp();
    /// `e^x - 1` of each element, accurate near 0 (`torch.expm1`).
    #[doc(alias = "expm1")]
    exp_m1();
    /// Natural logarithm of each element (`torch.log`).
    ln();
    /// Natural logarithm of each element, under its name in PyTorch (`torch.log`): [`Tensor::ln`].
    log();
    /// `ln(1 + x)` of each element, accurate near 0 (`torch.log1p`).
    #[doc(alias = "log1p")]
    ln_1p();
    /// Square root of each element (`torch.sqrt`).
    sqrt();
    /// `1 / sqrt(x)` of each element (`torch.rsqrt`).
    rsqrt();
    /// `x^2` of each element (`torch.square`).
    square();
    /// `1 / x` of each element (`torch.reciprocal`).
    #[doc(alias = "reciprocal")]
    recip();
    /// Sine of each element (`torch.sin`).
    sin();
    /// Cosine of each element (`torch.cos`).
    cos();
    /// Hyperbolic tangent of each element (`torch.tanh`).
    tanh();
    /// `1 / (1 + e^-x)` of each element (`torch.sigmoid`).
    sigmoid();
    /// Error function of each element, `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to `x`
    /// (`torch.erf`).
    erf();
    /// The probability that a standard normal number is below `x`, for each element, accurate in both tails
    /// (`torch.special.ndtr`).
    ndtr();
    /// `x^y` of each element for one exponent `y` (`torch.pow`).
    pow_scalar(exponent: f64);

    /// The angle of the point `(x, self)` in `[-pi, pi]`, element by element, broadcasting (`torch.atan2`).
    atan2()[x];
    /// `ln(e^a + e^b)` of elements `a` and `b`, broadcasting, for numbers of any size (`torch.logaddexp`).
    logaddexp()[other];
    /// `self * factor`, broadcasting, but exactly 0 where `self` is 0, whatever the factor is there.
    scale()[factor];
}

functions! {
    /// `max(x, 0)` of each element (`torch.relu`).
    relu();
    /// `min(max(x, 0), 6)` of each element (`torch.nn.functional.relu6`).
    relu6();
    /// `x` where it is positive, else `negative_slope x` (`torch.nn.functional.leaky_relu`, whose default is
    /// 0.01).
    leaky_relu(negative_slope: f64);
    /// `x` where it is positive, else `w x`, with one slope `w` or one for each channel: axis 1, or axis 0 of
    /// a vector (`torch.nn.functional.prelu`).
    ///
    /// # Panics
    /// If the weight is no vector, or has more than one element and not one for each channel.
    prelu()[weight];
    /// `x` where it is positive, else `alpha (e^x - 1)` (`torch.nn.functional.elu`, whose default is 1).
    elu(alpha: f64);
    /// `x` where it is positive, else `alpha (e^(x / alpha) - 1)` (`torch.nn.functional.celu`, whose default
    /// is 1).
    celu(alpha: f64);
    /// `s x` where `x > 0`, else `s a (e^x - 1)`, with `s = 1.0507..` and `a = 1.6733..` (`torch.selu`).
    selu();
    /// `x P(X < x)` for a standard normal `X`, that is `x (1 + erf(x / sqrt(2))) / 2`, of each element
    /// (`torch.nn.functional.gelu`).
    gelu();
    /// `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2` of each element (`torch.nn.functional.gelu` with
    /// `approximate="tanh"`).
    gelu_tanh();
    /// `x / (1 + e^-x)` of each element (`torch.nn.functional.silu`).
    #[doc(alias = "swish")]
    silu();
    /// `x tanh(ln(1 + e^x))` of each element (`torch.nn.functional.mish`).
    mish();
    /// `ln(1 + e^x)` of each element, linear above 20 (`torch.nn.functional.softplus`).
    softplus();
    /// `ln(1 + e^(beta x)) / beta` of each element, and `x` where `beta x` is above `threshold`
    /// (`torch.nn.functional.softplus`, whose defaults are 1 and 20).
    softplus_of(beta: f64, threshold: f64);
    /// `ln(1 / (1 + e^-x))` of each element, for numbers of any size (`torch.nn.functional.logsigmoid`).
    logsigmoid();
    /// `x / (1 + |x|)` of each element (`torch.nn.functional.softsign`).
    softsign();
    /// `x` between `min` and `max`, else the nearer of the two (`torch.nn.functional.hardtanh`, whose
    /// defaults are -1 and 1).
    hardtanh(min: f64, max: f64);
    /// `(x + 3) / 6` between -3 and 3, 0 below and 1 above (`torch.nn.functional.hardsigmoid`).
    hardsigmoid();
    /// `x min(max(x + 3, 0), 6) / 6` of each element, of which the limit at negative infinity is 0
    /// (`torch.nn.functional.hardswish`).
    hardswish();
    /// `x` where `|x|` is above `lambda`, else 0 (`torch.nn.functional.hardshrink`, whose default is 0.5).
    hardshrink(lambda: f64);
    /// `x` moved by `lambda` towards 0, and 0 where `|x|` is at most that (`torch.nn.functional.softshrink`,
    /// whose default is 0.5).
    softshrink(lambda: f64);
    /// `x - tanh(x)` of each element (`torch.nn.functional.tanhshrink`).
    tanhshrink();
    /// `x` where it is above `threshold`, else `value` (`torch.nn.functional.threshold`).
    threshold(threshold: f64, value: f64);
}

impl<T: Float> Tensor<T> {
    /// `x^y`, element by element, for a number `y` or a tensor that broadcasts (`torch.pow`). Of a variable
    /// as exponent the value counts.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from([2.0f64, 3.0]);
    /// assert_eq!((x.pow(3).to_vec(), x.pow(&x).to_vec()), (vec![8.0, 27.0], vec![4.0, 27.0]));
    /// ```
    #[doc(alias = "power")]
    #[track_caller]
    pub fn pow(&self, exponent: impl Exponent<T>) -> Tensor<T> {
        let _unrecorded = unrecorded();
        constant(self).pow(exponent).value()
    }

    /// Mask of the elements that are NaN (`torch.isnan`).
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([f32::NAN, f32::INFINITY, 1.0]).is_nan().to_vec(), [true, false, false]);
    /// ```
    #[doc(alias = "isnan")]
    #[track_caller]
    pub fn is_nan(&self) -> Tensor<bool> {
        self.map(|x| x.to_f64().is_nan())
    }

    /// Mask of the elements that are neither infinite nor NaN (`torch.isfinite`).
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert!(Tensor::from([1.0f64, f64::MAX]).is_finite().all());
    /// assert_eq!(Tensor::from([f64::NAN, f64::INFINITY, 1.0]).is_finite().to_vec(), [false, false, true]);
    /// ```
    #[doc(alias = "isfinite")]
    #[track_caller]
    pub fn is_finite(&self) -> Tensor<bool> {
        self.map(|x| x.to_f64().is_finite())
    }

    /// Mask of the elements that are infinite, of either sign (`torch.isinf`).
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from([f32::NAN, f32::NEG_INFINITY, f32::MAX]);
    /// assert_eq!(x.is_infinite().to_vec(), [false, true, false]);
    /// ```
    #[doc(alias = "isinf")]
    #[track_caller]
    pub fn is_infinite(&self) -> Tensor<bool> {
        self.map(|x| x.to_f64().is_infinite())
    }
}
