//! The error function and the distribution function of the standard normal distribution.
//!
//! One scalar implementation in `f64` for all numbers: `f32` rounds its result. Near 0 the odd error
//! function is a polynomial; further out its complement is `e^(-y^2)` times a factor that varies little
//! and slowly, so that the tails keep their relative accuracy.

use std::f64::consts::FRAC_1_SQRT_2;

/// Where the polynomial ends and the tail begins.
const CENTRE_END: f64 = 0.5;

/// Coefficients of `erf(y) / y` in `y^2` for `|y| <= 1/2`; relative error below 2^-64.
const CENTRE: [f64; 10] = [
    std::f64::consts::FRAC_2_SQRT_PI,
    -0.376_126_389_031_837_5,
    0.112_837_916_709_548_68,
    -0.026_866_170_644_999_358,
    0.005_223_977_622_008_845,
    -0.000_854_832_650_971_854_7,
    0.000_120_552_861_288_711_08,
    -1.492_300_028_385_010_8e-5,
    1.637_116_455_289_283_6e-6,
    -1.462_025_611_439_155_3e-7,
];

/// Coefficients of `(1 + 2 y) e^(y^2) erfc(y)` in `t = (y - 3) / (y + 3)` for `y >= 1/2`; relative error
/// below 2^-55.
const NDTR_TAIL: [f64; 23] = [
    1.253_008_058_269_729_6,
    -0.135_621_106_124_581_7,
    -0.047_562_294_353_457_095,
    0.129_645_158_702_826_8,
    -0.119_273_663_414_926_83,
    0.068_308_027_341_479_21,
    -0.023_770_514_927_302_616,
    0.002_529_391_860_449_313_6,
    0.001_888_690_454_840_279_5,
    -0.000_779_832_714_767_023_5,
    -0.000_105_160_366_284_228_7,
    0.000_125_102_050_825_220_2,
    4.951_243_563_015_104e-6,
    -2.011_099_814_975_386_5e-5,
    -7.334_402_827_126_526e-7,
    3.498_026_217_873_715e-6,
    3.524_054_483_208_695e-7,
    -6.551_657_809_359_801e-7,
    -1.237_622_109_089_839_5e-7,
    1.337_540_824_859_531_5e-7,
    1.841_034_335_943_574_2e-8,
    -2.364_039_970_296_637e-8,
    3.483_850_511_916_706e-9,
];

/// The polynomial with these coefficients, lowest power first.
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// `erf(y)` for `|y| <= 1/2`.
fn centre(y: f64) -> f64 {
    y * polynomial(y * y, &CENTRE)
}

/// `e^(y^2) erfc(y)` for `y >= 1/2`.
fn scaled_tail(y: f64) -> f64 {
    polynomial((y - 3.0) / (y + 3.0), &NDTR_TAIL) / (1.0 + 2.0 * y)
}

/// `e^(-factor x^2)`, in two factors: the square of the first half of the digits is exact, and so nothing
/// is lost where the square is large.
fn gaussian(x: f64, factor: f64) -> f64 {
    let head = f64::from_bits(x.to_bits() & !0xFFFF_FFFF);
    (-factor * head * head).exp() * (-factor * (x - head) * (x + head)).exp()
}

/// `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to `x`.
pub(super) fn erf(x: f64) -> f64 {
    let y = x.abs();
    if y < CENTRE_END {
        centre(x)
    } else if y < 6.0 {
        (1.0 - gaussian(y, 1.0) * scaled_tail(y)).copysign(x)
    } else if x.is_nan() {
        x
    } else {
        1f64.copysign(x)
    }
}

/// The probability that a standard normal number is below `x`.
pub(super) fn ndtr(x: f64) -> f64 {
    let y = x.abs() * FRAC_1_SQRT_2;
    if y < CENTRE_END {
        return 0.5 + 0.5 * centre(x * FRAC_1_SQRT_2);
    }
    // Beyond 40 there is no number small enough.
    let tail = if x.abs() > 40.0 { 0.0 } else { 0.5 * gaussian(x.abs(), 0.5) * scaled_tail(y) };
    if x < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `x`, `erf(x)`, and the probabilities below `x` and `-x`, from fifty digits.
    const TABLE: [(f64, f64, f64, f64); 20] = [
        (1.0e-300, 1.128_379_167_095_512_6e-300, 0.5, 0.5),
        (1.0e-10, 1.128_379_167_095_512_6e-10, 0.500_000_000_039_894_2, 0.499_999_999_960_105_75),
        (0.1, 0.112_462_916_018_284_9, 0.539_827_837_277_029, 0.460_172_162_722_971),
        (0.3, 0.328_626_759_459_127_4, 0.617_911_422_188_952_7, 0.382_088_577_811_047_4),
        (0.49, 0.511_668_261_188_523, 0.687_933_050_582_609_5, 0.312_066_949_417_390_55),
        (0.5, 0.520_499_877_813_046_5, 0.691_462_461_274_013_1, 0.308_537_538_725_986_9),
        (0.51, 0.529_243_619_841_170_4, 0.694_974_269_102_480_6, 0.305_025_730_897_519_4),
        (0.7, 0.677_801_193_837_418_4, 0.758_036_347_776_927, 0.241_963_652_223_073_03),
        (1.0, 0.842_700_792_949_714_9, 0.841_344_746_068_542_9, 0.158_655_253_931_457_05),
        (1.3, 0.934_007_944_940_652_4, 0.903_199_515_414_389_7, 0.096_800_484_585_610_33),
        (2.0, 0.995_322_265_018_952_7, 0.977_249_868_051_820_8, 0.022_750_131_948_179_21),
        (3.0, 0.999_977_909_503_001_4, 0.998_650_101_968_369_9, 0.001_349_898_031_630_094_6),
        (4.5, 0.999_999_999_803_383_9, 0.999_996_602_326_875_3, 3.397_673_124_730_060_3e-6),
        (5.9, 0.999_999_999_999_999_9, 0.999_999_998_182_492_2, 1.817_507_863_099_428_4e-9),
        (7.0, 1.0, 0.999_999_999_998_720_1, 1.279_812_543_885_835e-12),
        (12.0, 1.0, 1.0, 1.776_482_112_077_679e-33),
        (20.0, 1.0, 1.0, 2.753_624_118_606_233_7e-89),
        (30.3, 1.0, 1.0, 5.731_723_503_315_496e-202),
        (37.5, 1.0, 1.0, 4.605_353_009_581_955e-308),
        (38.4, 1.0, 1.0, 6.4e-323),
    ];

    fn assert_near(got: f64, want: f64, what: &str) {
        let error = ((got - want) / want).abs();
        assert!(error < 7e-16 || (got - want).abs() <= f64::from_bits(1), "{what} = {got:e}, not {want:e}");
    }

    #[test]
    fn both_functions_are_accurate_in_the_tails_too() {
        for (x, error, below, above) in TABLE {
            assert_near(erf(x), error, &format!("erf({x})"));
            assert_near(erf(-x), -error, &format!("erf(-{x})"));
            assert_near(ndtr(x), below, &format!("ndtr({x})"));
            assert_near(ndtr(-x), above, &format!("ndtr(-{x})"));
        }
    }

    #[test]
    fn the_two_expressions_meet() {
        for y in [0.48, 0.499, CENTRE_END, 0.501, 0.52] {
            let tail = gaussian(y, 1.0) * scaled_tail(y);
            assert!((centre(y) + tail - 1.0).abs() < 3e-16, "{y}: {}", centre(y) + tail - 1.0);
        }
    }
}
