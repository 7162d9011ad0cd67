//! A fourth reading of a formula: which inputs' values a cotangent depends on, so that no others are saved,
//! and whether it is one that came, which then goes on as it is.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use wengert_kernel::formula::{Formula, vjp};
use wengert_kernel::real::Real;

use super::{Of, Pointwise};

/// A number of which only is known what it depends on, one bit an input, and whether it is 0, 1 or a
/// cotangent for certain.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Depends {
    on: u32,
    known: Known,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    Zero,
    One,
    /// The cotangent of this output.
    Cotangent(u8),
    Nothing,
}

impl Depends {
    #[inline(always)]
    fn on(on: u32) -> Self {
        Depends { on, known: Known::Nothing }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Depends::on(self.on | other.on)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        match (self.known, other.known) {
            (Known::Zero, _) | (_, Known::One) => self,
            (_, Known::Zero) | (Known::One, _) => other,
            _ => self.and(other),
        }
    }
}

impl Add for Depends {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        match (self.known, other.known) {
            (Known::Zero, _) => other,
            (_, Known::Zero) => self,
            _ => self.and(other),
        }
    }
}

impl Sub for Depends {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        if other.known == Known::Zero { self } else { self.and(other) }
    }
}

impl Mul for Depends {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.times(other)
    }
}

impl Div for Depends {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        if self.known == Known::Zero || other.known == Known::One { self } else { self.and(other) }
    }
}

impl Neg for Depends {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // The trace tells -0 from 0 and does not fold it, so neither is it zero here.
        Depends::on(self.on)
    }
}

/// What the outcome of a comparison depends on.
#[derive(Clone, Copy, Debug)]
struct DependsMask(u32);

impl DependsMask {
    /// Whatever the connective: the outcome depends on both sides.
    #[inline(always)]
    fn both(self, other: Self) -> Self {
        DependsMask(self.0 | other.0)
    }
}

impl BitAnd for DependsMask {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        self.both(other)
    }
}

impl BitOr for DependsMask {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        self.both(other)
    }
}

impl Not for DependsMask {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        self
    }
}

macro_rules! functions {
    ($($method:ident)*) => {$(
        #[inline(always)]
        fn $method(self) -> Self {
            Depends::on(self.on)
        }
    )*};
}

impl Real for Depends {
    type Mask = DependsMask;

    #[inline(always)]
    fn lit(value: f64) -> Self {
        let known = if value == 0.0 {
            Known::Zero
        } else if value == 1.0 {
            Known::One
        } else {
            Known::Nothing
        };
        Depends { on: 0, known }
    }
    #[inline(always)]
    fn lt(self, other: Self) -> DependsMask {
        DependsMask(self.on | other.on)
    }
    #[inline(always)]
    fn le(self, other: Self) -> DependsMask {
        DependsMask(self.on | other.on)
    }
    #[inline(always)]
    fn eq(self, other: Self) -> DependsMask {
        DependsMask(self.on | other.on)
    }
    #[inline(always)]
    fn select(mask: DependsMask, then: Self, otherwise: Self) -> Self {
        if then == otherwise { then } else { Depends::on(mask.0 | then.on | otherwise.on) }
    }
    #[inline(always)]
    fn scale(self, factor: Self) -> Self {
        self.times(factor)
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }
    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        self.and(exponent)
    }
    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        self.and(x)
    }
    functions!(exp exp_m1 ln ln_1p sqrt tanh sigmoid abs sin cos erf ndtr);
}

/// The values that the cotangent of each input of a formula is made of.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependence<const I: usize> {
    /// The bits, one number for each input, of the inputs whose values its cotangent depends on.
    pub on: [u32; I],
    /// The output, one for each input, whose cotangent is that of the input, unchanged.
    pub same: [Option<u8>; I],
}

/// Finds out by running the formula.
#[doc(hidden)]
#[inline]
pub fn dependence<P, const I: usize, const O: usize>(formula: &P) -> Dependence<I>
where
    P: Pointwise<I, O>,
{
    dependence_of(&Of(formula))
}

/// [`dependence`] of a formula as kernels see it.
#[inline]
pub(super) fn dependence_of<F, const I: usize, const O: usize>(formula: &F) -> Dependence<I>
where
    F: Formula<I, O>,
{
    made_of(vjp(formula, all_inputs(), all_cotangents()))
}

// What does not depend on the formula is not compiled for each.

#[inline(always)]
fn all_inputs<const I: usize>() -> [Depends; I] {
    std::array::from_fn(|i| Depends::on(1 << i))
}

#[inline(always)]
fn all_cotangents<const O: usize>() -> [Depends; O] {
    let known = |k| u8::try_from(k).map_or(Known::Nothing, Known::Cotangent);
    std::array::from_fn(|k| Depends { on: 0, known: known(k) })
}

#[inline(always)]
fn made_of<const I: usize>(found: [Depends; I]) -> Dependence<I> {
    Dependence {
        on: found.map(|cotangent| cotangent.on),
        same: found.map(|cotangent| if let Known::Cotangent(k) = cotangent.known { Some(k) } else { None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::pointwise! { struct Affine; fn eval(a, b) -> 1 { [2.0 * a - b + 1.0] } }
    crate::pointwise! { struct Product; fn eval(a, b) -> 1 { [a * b] } }
    crate::pointwise! { struct Gate; fn eval(a, b, c) -> 2 { [a.tanh() * b, b + c] } }
    crate::pointwise! { struct Sum; fn eval(a, b, c) -> 1 { [a + b - c] } }
    crate::pointwise! { struct Choice; fn eval(m, a, b) -> 1 { [R::select(m.eq(0.0), a, b)] } }

    #[test]
    fn a_cotangent_depends_on_what_its_derivative_is_made_of() {
        assert_eq!(Affine.dependence().on, [0, 0]);
        assert_eq!(Product.dependence().on, [0b10, 0b01]);
        assert_eq!(Gate.dependence().on, [0b011, 0b001, 0]);
        assert_eq!(Choice.dependence().on, [0, 0b001, 0b001]);
    }

    #[test]
    fn a_cotangent_that_comes_back_unchanged_is_known() {
        assert_eq!(Affine.dependence().same, [None, None]);
        assert_eq!(Sum.dependence().same, [Some(0), Some(0), None]);
        assert_eq!(Gate.dependence().same, [None, None, Some(1)]);
        assert_eq!(Choice.dependence().same, [None, None, None]);
    }
}
