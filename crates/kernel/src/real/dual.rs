//! Forward-mode derivatives.

use super::Real;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number and its derivatives in `I` directions.
///
/// Every tangent meets a local derivative by [`Real::scale`], so a tangent that is zero stays zero
/// beside a singularity, and one that is zero at compile time costs nothing. `R` may be a `Dual`
/// too: a `Dual` of `Dual`s carries second derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual<R, const I: usize> {
    /// The number.
    pub value: R,
    /// The number's derivative in each direction.
    pub tangent: [R; I],
}

impl<R: Real, const I: usize> Dual<R, I> {
    /// The `i`-th independent variable: its derivative is 1 in direction `i` and 0 in the others.
    #[inline(always)]
    pub fn variable(value: R, i: usize) -> Self {
        let mut variable = Self::constant(value);
        variable.tangent[i] = R::lit(1.0);
        variable
    }

    /// A number that depends on no variable.
    #[inline(always)]
    pub fn constant(value: R) -> Self {
        Dual { value, tangent: [R::lit(0.0); I] }
    }

    /// `value = f(self)` where `slope = f'(self)`.
    #[inline(always)]
    fn chain(self, value: R, slope: R) -> Self {
        self.map(value, |t| t.scale(slope))
    }

    /// `value` with every tangent of `self` replaced.
    ///
    /// A plain loop, because it must be unrolled and inlined into functions with target features.
    #[inline(always)]
    fn map(self, value: R, tangent: impl Fn(R) -> R) -> Self {
        let mut result = Dual { value, tangent: self.tangent };
        for t in &mut result.tangent {
            *t = tangent(*t);
        }
        result
    }

    /// `value` with the tangents of `self` and `other` combined pair by pair.
    #[inline(always)]
    fn zip(self, other: Self, value: R, tangent: impl Fn(R, R) -> R) -> Self {
        let mut result = Dual { value, tangent: self.tangent };
        for (t, u) in result.tangent.iter_mut().zip(other.tangent) {
            *t = tangent(*t, u);
        }
        result
    }
}

impl<R: Real, const I: usize> Add for Dual<R, I> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, self.value + other.value, |t, u| t + u)
    }
}

impl<R: Real, const I: usize> Sub for Dual<R, I> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, self.value - other.value, |t, u| t - u)
    }
}

impl<R: Real, const I: usize> Mul for Dual<R, I> {
    type Output = Self;

    #[inline(always)]
    #[allow(clippy::suspicious_arithmetic_impl, reason = "the sum is the product rule")]
    fn mul(self, other: Self) -> Self {
        self.zip(other, self.value * other.value, |t, u| t.scale(other.value) + u.scale(self.value))
    }
}

impl<R: Real, const I: usize> Div for Dual<R, I> {
    type Output = Self;

    /// `d(a / b) = (da - db a / b) / b`.
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let quotient = self.value / other.value;
        let inverse = R::lit(1.0) / other.value;
        self.zip(other, quotient, |t, u| (t - u.scale(quotient)).scale(inverse))
    }
}

impl<R: Real, const I: usize> Neg for Dual<R, I> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.map(-self.value, |t| -t)
    }
}

impl<R: Real, const I: usize> Real for Dual<R, I> {
    type Mask = R::Mask;

    #[inline(always)]
    fn lit(value: f64) -> Self {
        Self::constant(R::lit(value))
    }

    #[inline(always)]
    fn lt(self, other: Self) -> R::Mask {
        self.value.lt(other.value)
    }

    #[inline(always)]
    fn le(self, other: Self) -> R::Mask {
        self.value.le(other.value)
    }

    #[inline(always)]
    fn eq(self, other: Self) -> R::Mask {
        self.value.eq(other.value)
    }

    #[inline(always)]
    fn select(mask: R::Mask, then: Self, otherwise: Self) -> Self {
        let value = R::select(mask, then.value, otherwise.value);
        then.zip(otherwise, value, |t, u| R::select(mask, t, u))
    }

    /// The second term of the derivative is zero where either of its factors is: where nothing is asked
    /// for, the factor's derivative may be singular, and where the factor is constant, `self` may be
    /// infinite.
    #[inline(always)]
    fn scale(self, factor: Self) -> Self {
        let value = self.value.scale(factor.value);
        let nothing = self.value.eq(R::lit(0.0));
        let second = |u: R| R::select(nothing, self.value.scale(u), u.scale(self.value));
        self.zip(factor, value, |t, u| t.scale(factor.value) + second(u))
    }

    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        let value = self.value.mul_add(a.value, b.value);
        let product = self.zip(a, value, |t, u| t.scale(a.value) + u.scale(self.value));
        product.zip(b, value, |t, u| t + u)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        let value = self.value.exp();
        self.chain(value, value)
    }

    /// The slope is `e^x` computed anew, for `1 + (e^x - 1)` has no accuracy on the left.
    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.chain(self.value.exp_m1(), self.value.exp())
    }

    #[inline(always)]
    fn ln(self) -> Self {
        self.chain(self.value.ln(), R::lit(1.0) / self.value)
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), R::lit(1.0) / (R::lit(1.0) + self.value))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, R::lit(0.5) / root)
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        let value = self.value.tanh();
        self.chain(value, (-value).mul_add(value, R::lit(1.0)))
    }

    #[inline(always)]
    fn sigmoid(self) -> Self {
        let value = self.value.sigmoid();
        self.chain(value, value * (R::lit(1.0) - value))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        let zero = R::lit(0.0);
        let sign = R::select(self.value.lt(zero), R::lit(-1.0), R::lit(1.0));
        self.chain(self.value.abs(), R::select(self.value.eq(zero), zero, sign))
    }

    /// `b^e` has the slopes `e b^(e-1)` and `b^e ln b`.
    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        let (base, exponent, e) = (self.value, exponent, exponent.value);
        let (zero, value) = (R::lit(0.0), base.pow(e));
        // By `scale`, for at exponent 0 and base 0 the power is infinite.
        let in_base = e.scale(base.pow(e - R::lit(1.0)));
        let flat = base.eq(zero) & zero.le(e);
        let in_exponent = R::select(flat, zero, value.scale(base.ln()));
        self.zip(exponent, value, |t, u| t.scale(in_base) + u.scale(in_exponent))
    }

    #[inline(always)]
    fn sin(self) -> Self {
        self.chain(self.value.sin(), self.value.cos())
    }

    #[inline(always)]
    fn cos(self) -> Self {
        self.chain(self.value.cos(), -self.value.sin())
    }

    #[inline(always)]
    fn erf(self) -> Self {
        let slope = R::lit(std::f64::consts::FRAC_2_SQRT_PI) * (-(self.value * self.value)).exp();
        self.chain(self.value.erf(), slope)
    }

    /// The slope is the normal distribution's density.
    #[inline(always)]
    fn ndtr(self) -> Self {
        let peak = R::lit(0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2);
        self.chain(self.value.ndtr(), peak * (self.value * self.value * R::lit(-0.5)).exp())
    }

    /// `d atan2(y, x) = (x dy - y dx) / (x^2 + y^2)`, with the larger coordinate taken out, so that no
    /// square leaves the range of numbers.
    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        let (y, one, zero) = (self.value, R::lit(1.0), R::lit(0.0));
        let steep = x.value.abs().lt(y.abs());
        let larger = R::select(steep, y, x.value);
        let ratio = R::select(steep, x.value, y) / larger;
        let long = one / (larger * ratio.mul_add(ratio, one));
        // By `scale`, for beside a coordinate that is 0 the other may be so small that its inverse is
        // infinite.
        let short = ratio.scale(long);
        let origin = y.eq(zero) & x.value.eq(zero);
        let in_y = R::select(origin, zero, R::select(steep, short, long));
        let in_x = R::select(origin, zero, R::select(steep, long, short));
        self.zip(x, y.atan2(x.value), |t, u| t.scale(in_y) - u.scale(in_x))
    }
}
