//! `f64` and `Fused<f64>`.
//!
//! The polynomials are minimax fits by Remez' exchange algorithm, each to the function with its
//! leading Taylor terms taken off, so that those stay exact.

use super::Real;
use super::elementary::{elementary, impl_real};
use super::fused::{Fused, Lane};
use super::normal::{erf, ndtr};

const BIAS: u64 = 1023;
const MANTISSA: u64 = 52;
const MAGIC: f64 = 6_755_399_441_055_744.0;
const LN2_HI: f64 = 0.693_147_180_559_890_3;
const LN2_LO: f64 = 5.497_923_018_708_371e-14;
const EXP_RANGE: (f64, f64) = (-746.0, 710.0);
const FLAT: f64 = 20.0;
const TINY: f64 = 5.0e-17;

/// The relative error of `e^r` is below 2^-57.
const EXP_TAIL: [f64; 10] = [
    0.500_000_000_000_001_1,
    0.166_666_666_666_664_13,
    0.041_666_666_666_530_16,
    0.008_333_333_333_494_465,
    0.001_388_888_894_362_895_2,
    0.000_198_412_695_065_658_62,
    2.480_149_310_006_326e-5,
    2.755_758_638_829_724_7e-6,
    2.763_024_799_285_540_4e-7,
    2.500_005_675_003_165_4e-8,
];

/// Coefficients of `(ln(1 + f) / s - 2) / s^2` in `s^2`, where `s = f / (2 + f)`; relative error of
/// the logarithm below 2^-58.
const LN_TAIL: [f64; 7] = [
    0.666_666_666_666_673_4,
    0.399_999_999_994_146_9,
    0.285_714_287_423_851,
    0.222_221_985_733_520_98,
    0.181_835_643_208_169_7,
    0.153_140_506_233_715_3,
    0.147_959_494_806_109_23,
];

elementary!(f64, u64);

/// `e ln 2 + ln(1 + f)`.
///
/// `ln(1 + f)` is the series `2 s + s R` of the inverse hyperbolic tangent of `s = f / (2 + f)`, whose
/// head is `2 s = f - s f`, and `s f = f^2 / 2 - s f^2 / 2`: so the exact `f` leads, and the rounding
/// of the quotient only enters in what is small beside it.
#[inline(always)]
fn ln_reduced<const FUSED: bool>(f: f64, e: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let half_square = 0.5 * f * f;
    let series = z * horner::<FUSED, _>(z, LN_TAIL);
    let tail = fma::<FUSED>(s, half_square + series, e * LN2_LO);
    fma::<FUSED>(e, LN2_HI, f - (half_square - tail))
}

impl_real!(f64, f64, false);
impl_real!(Fused<f64>, f64, true);
