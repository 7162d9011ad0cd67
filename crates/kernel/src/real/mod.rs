//! Numbers a pointwise formula computes with.
//!
//! A formula written once over `R: Real` is read in three ways: with `f32`, `f64` or [`Fused`] it is a
//! forward kernel, with [`Dual`] it is a derivative, with a symbol it is a trace that can be
//! recorded on the tape. So that all three see the same formula, a `Real` can't be compared with
//! `<`: a branch is written [`Real::select`].

#[cfg(test)]
mod accuracy_tests;
mod dual;
#[cfg(test)]
mod dual_tests;
mod elementary;
mod f32;
mod f64;
mod fused;
mod normal;

pub use dual::Dual;
pub use fused::{Fused, Lane};

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// A number that a pointwise formula computes with.
pub trait Real: Copy
where
    Self: Add<Output = Self>
        + Sub<Output = Self>
        + Mul<Output = Self>
        + Div<Output = Self>
        + Neg<Output = Self>,
{
    /// The outcome of a comparison, one truth value per number.
    type Mask: Copy + BitAnd<Output = Self::Mask> + BitOr<Output = Self::Mask> + Not<Output = Self::Mask>;

    /// The constant `value`.
    fn lit(value: f64) -> Self;
    /// `self < other`; false if either is NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `self <= other`; false if either is NaN.
    fn le(self, other: Self) -> Self::Mask;
    /// `self == other`; false if either is NaN.
    fn eq(self, other: Self) -> Self::Mask;
    /// `then` where `mask` holds, else `otherwise`. Both are evaluated; only the chosen one's derivative
    /// counts.
    fn select(mask: Self::Mask, then: Self, otherwise: Self) -> Self;
    /// `self * factor`, but exactly zero where `self` is zero, even if `factor` is infinite or NaN.
    ///
    /// This is how a tangent or cotangent meets a local derivative: what does not ask for a
    /// derivative gets none, however singular the point. Its own derivative is that of the product.
    fn scale(self, factor: Self) -> Self;
    /// `self * a + b`, rounded once where the machine has an instruction for it.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// `e^x`.
    fn exp(self) -> Self;
    /// `e^x - 1`, accurate near 0.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// `ln(1 + x)`, accurate near 0.
    fn ln_1p(self) -> Self;
    /// Square root; its derivative at 0 is infinite.
    fn sqrt(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Logistic function `1 / (1 + e^-x)`, accurate in both tails.
    fn sigmoid(self) -> Self;
    /// Absolute value; its derivative at 0 is 0.
    fn abs(self) -> Self;
    /// `self^exponent`; the derivative is 0 in the base where the exponent is 0, and 0 in the exponent
    /// where the base is 0 and the exponent is not negative.
    fn pow(self, exponent: Self) -> Self;
    /// Sine.
    fn sin(self) -> Self;
    /// Cosine.
    fn cos(self) -> Self;
    /// Error function, `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to `self`.
    fn erf(self) -> Self;
    /// The probability that a standard normal number is below `self`, `(1 + erf(x / sqrt(2))) / 2`,
    /// accurate in both tails.
    fn ndtr(self) -> Self;
    /// The angle of the point `(x, self)`, in `[-pi, pi]`; the derivatives at the origin are 0.
    fn atan2(self, x: Self) -> Self;

    /// `self > other`; false if either is NaN.
    #[inline(always)]
    fn gt(self, other: Self) -> Self::Mask {
        other.lt(self)
    }

    /// `self >= other`; false if either is NaN.
    #[inline(always)]
    fn ge(self, other: Self) -> Self::Mask {
        other.le(self)
    }

    /// Whether this is not a number.
    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        !self.eq(self)
    }

    /// The larger of two numbers, NaN if either is. Equal ones share the derivative half and half.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        let tie = tie(self, other);
        Self::select(self.lt(other), other, Self::select(other.lt(self), self, tie))
    }

    /// The smaller of two numbers, NaN if either is. Equal ones share the derivative half and half.
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        let tie = tie(self, other);
        Self::select(self.lt(other), self, Self::select(other.lt(self), other, tie))
    }

    /// `self` where it is between the bounds, else the bound it is beyond; `high` where the bounds are
    /// crossed. On a bound the derivative is that of `self`. A NaN stays, and a bound that is NaN has its
    /// way.
    #[inline(always)]
    fn clamp(self, low: Self, high: Self) -> Self {
        let raised = Self::select(self.lt(low) | low.is_nan(), low, self);
        Self::select(high.lt(raised) | high.is_nan(), high, raised)
    }

    /// `1 / x`.
    #[inline(always)]
    fn recip(self) -> Self {
        Self::lit(1.0) / self
    }

    /// `x * x`.
    #[inline(always)]
    fn square(self) -> Self {
        self * self
    }

    /// `x` where it is positive, else 0; its derivative at 0 is 0. A NaN stays.
    #[inline(always)]
    fn relu(self) -> Self {
        let zero = Self::lit(0.0);
        Self::select(self.le(zero), zero, self)
    }

    /// `ln(1 + e^x)`, taken to be `x` above 20, where the two differ by less than `e^-20`.
    #[inline(always)]
    fn softplus(self) -> Self {
        let knee = Self::lit(20.0);
        let beyond = knee.lt(self);
        // The branch not chosen is kept finite, so that no derivative of it is singular.
        let bent = Self::select(beyond, knee, self).exp().ln_1p();
        Self::select(beyond, self, bent)
    }
}

/// The value of two equal numbers, exactly, be it infinite or subnormal, with the mean of their
/// derivatives.
#[inline(always)]
fn tie<R: Real>(a: R, b: R) -> R {
    let half = R::lit(0.5);
    // A half of a subnormal number may round, and a sum of large ones overflow.
    let small = (a + b) * half;
    let large = a * half + b * half;
    R::select(a.abs().le(R::lit(1.0)), small, large)
}
