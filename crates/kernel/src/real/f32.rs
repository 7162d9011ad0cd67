//! `f32` and `Fused<f32>`.
//!
//! The polynomials are minimax fits by Remez' exchange algorithm, each to the function with its
//! leading Taylor terms taken off, so that those stay exact.

use super::elementary::{elementary, impl_real};
use super::fused::{Fused, Lane};
use super::{Real, normal};

const BIAS: u32 = 127;
const MANTISSA: u32 = 23;
const MAGIC: f32 = 12_582_912.0;
const LN2_HI: f32 = 0.693_145_75;
const LN2_LO: f32 = 1.428_606_8e-6;
const EXP_RANGE: (f32, f32) = (-104.0, 89.0);
const FLAT: f32 = 10.0;
const TINY: f32 = 2.9e-8;

/// The relative error of `e^r` is below 2^-28.
const EXP_TAIL: [f32; 5] = [0.499_999_93, 0.166_665_21, 0.041_668_39, 0.008_368_717, 0.001_381_460_2];

/// Coefficients of `(ln(1 + f) - f + f^2 / 2) / f^3`; relative error of the logarithm below 2^-27.
const LN_TAIL: [f32; 8] = [
    0.333_333_17,
    -0.250_008_1,
    0.200_022_86,
    -0.166_245_55,
    0.141_811_94,
    -0.131_287_47,
    0.128_816_32,
    -0.078_596_1,
];

elementary!(f32, u32);

/// `e ln 2 + ln(1 + f)`, the smallest terms first.
#[inline(always)]
fn ln_reduced<const FUSED: bool>(f: f32, e: f32) -> f32 {
    let f2 = f * f;
    let tail = fma::<FUSED>(f2 * f, horner::<FUSED, _>(f, LN_TAIL), e * LN2_LO);
    let y = f + fma::<FUSED>(f2, -0.5, tail);
    fma::<FUSED>(e, LN2_HI, y)
}

fn erf(x: f32) -> f32 {
    normal::erf(x.into()) as f32
}

fn ndtr(x: f32) -> f32 {
    normal::ndtr(x.into()) as f32
}

impl_real!(f32, f32, false);
impl_real!(Fused<f32>, f32, true);
