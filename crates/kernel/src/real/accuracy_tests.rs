//! The elementary functions against the standard library's or slow ones, in units in the last place.

use super::{Fused, Lane, Real};

/// One function at all the types it has here, with its reference and the error allowed.
struct Case {
    name: &'static str,
    plain32: fn(f32) -> f32,
    fused32: fn(f32) -> f32,
    plain64: fn(f64) -> f64,
    fused64: fn(f64) -> f64,
    reference: fn(f64) -> f64,
    limit32: f64,
    limit64: f64,
}

macro_rules! case {
    ($function:ident, $reference:expr, $limit32:expr, $limit64:expr) => {
        Case {
            name: stringify!($function),
            plain32: <f32 as Real>::$function,
            fused32: |x| Fused(x).$function().unwrap(),
            plain64: <f64 as Real>::$function,
            fused64: |x| Fused(x).$function().unwrap(),
            reference: $reference,
            limit32: $limit32,
            limit64: $limit64,
        }
    };
}

fn cases() -> Vec<Case> {
    let sigmoid = |x: f64| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) };
    vec![
        case!(exp, f64::exp, 1.5, 2.0),
        case!(exp_m1, f64::exp_m1, 2.5, 3.0),
        case!(ln, f64::ln, 1.5, 2.0),
        case!(ln_1p, f64::ln_1p, 2.0, 3.0),
        case!(tanh, f64::tanh, 3.0, 4.0),
        case!(sigmoid, sigmoid, 3.0, 4.0),
        case!(sqrt, f64::sqrt, 0.51, 0.0),
        case!(erf, reference::erf, 0.51, 5.0),
        case!(ndtr, reference::ndtr, 0.51, 8.0),
    ]
}

/// The functions that the standard library does not have, slowly.
mod reference {
    use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

    /// `e^(-factor x^2)`, the rounding of the square put right.
    fn gaussian(x: f64, factor: f64) -> f64 {
        let square = x * x;
        (-factor * square).exp() * (1.0 - factor * x.mul_add(x, -square))
    }

    /// `2 y / sqrt(pi) e^(-y^2)` times the series `1 + 2 y^2 / 3 + 4 y^4 / 15 + ..`, all terms positive.
    fn series(y: f64) -> f64 {
        let nested = |sum: f64, k: i32| 1.0 + 2.0 * y * y / f64::from(2 * k + 1) * sum;
        let sum = (1..60).rev().fold(1.0, nested);
        y * (FRAC_2_SQRT_PI * gaussian(y, 1.0) * sum)
    }

    /// `e^(y^2) erfc(y)` for `y >= 0.7`, by its continued fraction.
    fn scaled_tail(y: f64) -> f64 {
        0.5 * FRAC_2_SQRT_PI / (1..400).rev().fold(y, |fraction, k| y + 0.5 * f64::from(k) / fraction)
    }

    pub fn erf(x: f64) -> f64 {
        let y = x.abs();
        if y.is_nan() || y < 1.0 {
            series(x)
        } else if y > 7.0 {
            1f64.copysign(x)
        } else {
            (1.0 - gaussian(y, 1.0) * scaled_tail(y)).copysign(x)
        }
    }

    pub fn ndtr(x: f64) -> f64 {
        let y = x.abs() * FRAC_1_SQRT_2;
        if y.is_nan() || y < 0.7 {
            return 0.5 + 0.5 * series(x * FRAC_1_SQRT_2);
        }
        let tail = if y > 30.0 { 0.0 } else { 0.5 * gaussian(x.abs(), 0.5) * scaled_tail(y) };
        if x < 0.0 { tail } else { 1.0 - tail }
    }
}

/// The distance between `got` and `want` in units of the last place of `want`, whose format has
/// `digits` bits and `least` as its least positive number. Equal infinities and NaNs have distance 0.
fn ulps(got: f64, want: f64, digits: i32, least: f64, max: f64) -> f64 {
    if want.is_nan() || got.is_nan() {
        return if want.is_nan() && got.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if got == want {
        return 0.0;
    }
    if got.is_infinite() {
        // Where the result is just about to overflow, the last number before it counts.
        return if want.abs() >= max * (1.0 - 2f64.powi(2 - digits)) { 1.0 } else { f64::INFINITY };
    }
    let exponent = if want == 0.0 { -1100 } else { want.abs().log2().floor() as i32 };
    let ulp = (2f64.powi((exponent - digits + 1).max(-1022))).max(least);
    (got - want).abs() / ulp
}

fn ulps32(got: f32, want: f64) -> f64 {
    // A reference beyond the range of f32 is its infinity.
    let want = if (want as f32).is_infinite() { f64::from(want as f32) } else { want };
    ulps(f64::from(got), want, 24, 2f64.powi(-149), f64::from(f32::MAX))
}

fn ulps64(got: f64, want: f64) -> f64 {
    ulps(got, want, 53, f64::from_bits(1), f64::MAX)
}

/// Every `f32` exponent with either sign, and some 250 random-looking mantissas to each.
fn sweep32() -> impl Iterator<Item = f32> {
    (0..=u32::MAX).step_by(32_749).map(f32::from_bits)
}

/// All `f64` exponents, and more densely those between 2^-60 and 2^12, where functions are not trivial.
fn sweep64() -> impl Iterator<Item = f64> {
    let all = (0..1u64 << 17).map(|i| f64::from_bits(i.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    let low = (1023 - 60) << 52;
    let mid = (0..1u64 << 17).map(move |i| {
        let x = f64::from_bits(low + i.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (72 << 52));
        if i % 2 == 0 { x } else { -x }
    });
    all.chain(mid)
}

fn assert_within(name: &str, worst: impl Iterator<Item = (f64, f64)>, limit: f64) {
    let worst = worst.fold((0.0, 0.0), |w, e| if e.1 > w.1 { e } else { w });
    assert!(worst.1 <= limit, "{name}({:e}) is wrong by {} ulp", worst.0, worst.1);
    println!("{name}: {:.3} ulp at {:e}", worst.1, worst.0);
}

#[test]
fn f32_functions_are_accurate_on_the_whole_domain() {
    for case in cases() {
        for (level, function) in [("plain", case.plain32), ("fused", case.fused32)] {
            let errors =
                sweep32().map(|x| (f64::from(x), ulps32(function(x), (case.reference)(f64::from(x)))));
            assert_within(&format!("{level} {}", case.name), errors, case.limit32);
        }
    }
}

#[test]
fn f64_functions_are_accurate_on_the_whole_domain() {
    for case in cases() {
        for (level, function) in [("plain", case.plain64), ("fused", case.fused64)] {
            let errors = sweep64().map(|x| (x, ulps64(function(x), (case.reference)(x))));
            assert_within(&format!("{level} {}", case.name), errors, case.limit64);
        }
    }
}

#[test]
fn the_range_where_exp_and_sigmoid_are_subnormal_is_accurate() {
    for case in cases().iter().filter(|c| c.name == "exp" || c.name == "sigmoid") {
        let steps = (0..50_000).map(|i| f64::from(i) / 50_000.0);
        let errors = steps.clone().map(|t| {
            let x = (-104.5 + 20.0 * t) as f32;
            (f64::from(x), ulps32((case.plain32)(x), (case.reference)(f64::from(x))))
        });
        assert_within(case.name, errors, 1.5);
        let errors = steps.map(|t| {
            let x = -746.0 + 50.0 * t;
            (x, ulps64((case.plain64)(x), (case.reference)(x)))
        });
        assert_within(case.name, errors, 1.5);
    }
}

#[test]
fn special_values() {
    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    let table: [(&str, &[(f64, f64)]); 9] = [
        ("exp", &[(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e9, INF), (-1e9, 0.0)]),
        ("exp_m1", &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (1e9, INF), (-1e9, -1.0)]),
        ("ln", &[(0.0, -INF), (-0.0, -INF), (1.0, 0.0), (INF, INF), (-1.0, NAN), (-INF, NAN)]),
        ("ln_1p", &[(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (INF, INF), (-1.5, NAN), (-INF, NAN)]),
        ("tanh", &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e9, 1.0), (-1e9, -1.0)]),
        ("sigmoid", &[(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e9, 1.0), (-1e9, 0.0)]),
        ("sqrt", &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-1.0, NAN)]),
        ("erf", &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e9, 1.0), (-1e9, -1.0)]),
        ("ndtr", &[(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e9, 1.0), (-1e9, 0.0)]),
    ];
    for (name, rows) in table {
        let case = cases().into_iter().find(|c| c.name == name).unwrap();
        for &(x, want) in rows.iter().chain(&[(NAN, NAN), (-NAN, NAN)]) {
            let narrow = [(case.plain32)(x as f32), (case.fused32)(x as f32)].map(f64::from);
            for got in [(case.plain64)(x), (case.fused64)(x)].into_iter().chain(narrow) {
                // Bit for bit, so that the sign of zero counts, but for that of a NaN.
                let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
                assert!(same, "{name}({x}) = {got}, not {want}");
            }
        }
    }
}

#[test]
fn subnormal_arguments() {
    for x in [f32::from_bits(1), f32::from_bits(77_777), f32::MIN_POSITIVE / 2.0] {
        assert!(ulps32(Real::ln(x), f64::from(x).ln()) < 1.5);
        assert_eq!([Real::tanh(x), Real::exp_m1(x), Real::ln_1p(x)], [x; 3]);
        assert_eq!([Real::tanh(-x), Real::exp_m1(-x), Real::ln_1p(-x)], [-x; 3]);
    }
    for x in [f64::from_bits(1), f64::from_bits(77_777_777), f64::MIN_POSITIVE / 2.0] {
        assert!(ulps64(Real::ln(x), x.ln()) < 1.5);
        assert_eq!([Real::tanh(x), Real::exp_m1(x), Real::ln_1p(x)], [x; 3]);
    }
}

#[test]
fn tanh_is_odd_and_sigmoid_symmetric() {
    for i in 0..20_000 {
        let x = i as f32 * 1e-3;
        assert!((Real::tanh(x) + Real::tanh(-x)).abs() <= 2.0 * f32::EPSILON);
        assert!((Real::sigmoid(x) + Real::sigmoid(-x) - 1.0).abs() <= f32::EPSILON);
    }
}

#[test]
fn scale_keeps_zero_and_nan() {
    fn check<R: Lane<f32>>() {
        let scaled = |x: f32, k: f32| R::wrap(x).scale(R::wrap(k)).unwrap();
        assert_eq!(scaled(0.0, f32::INFINITY), 0.0);
        assert_eq!(scaled(-0.0, f32::NAN), 0.0);
        assert_eq!(scaled(3.0, -2.0), -6.0);
        assert_eq!(scaled(1.0, f32::INFINITY), f32::INFINITY);
        assert!(scaled(f32::NAN, 0.0).is_nan() && scaled(f32::INFINITY, 0.0).is_nan());
    }
    check::<f32>();
    check::<Fused<f32>>();
}

#[test]
fn comparisons_are_false_for_nan() {
    let (a, nan) = (1.0f32, f32::NAN);
    assert!(!Real::lt(a, nan) && !Real::le(nan, a) && !Real::eq(nan, nan) && !Real::gt(nan, a));
    assert!(Real::is_nan(nan) && !Real::is_nan(a) && Real::ge(a, a) && !Real::gt(a, a));
}

#[test]
fn maximum_and_minimum_are_exact_and_propagate_nan() {
    let values = [0.0, 1.0, -2.5, f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY, f32::from_bits(3)];
    for (a, b) in values.iter().flat_map(|&a| values.map(|b| (a, b))) {
        assert_eq!(Real::maximum(a, b), f32::max(a, b));
        assert_eq!(Real::minimum(a, b), f32::min(a, b));
    }
    for a in values {
        assert!(Real::maximum(a, f32::NAN).is_nan() && Real::maximum(f32::NAN, a).is_nan());
        assert!(Real::minimum(a, f32::NAN).is_nan() && Real::minimum(f32::NAN, a).is_nan());
    }
}

#[test]
fn provided_functions() {
    assert_eq!([-1.0f32, 0.0, 2.0].map(Real::relu), [0.0, 0.0, 2.0]);
    assert!(Real::relu(f32::NAN).is_nan());
    assert_eq!([-3.0f32, 0.5, 3.0].map(|x| Real::clamp(x, -1.0, 1.0)), [-1.0, 0.5, 1.0]);
    assert!(Real::clamp(f32::NAN, 0.0, 1.0).is_nan());
    assert_eq!([0.0f32, 1.5, 5.0].map(|x| Real::clamp(x, 2.0, 1.0)), [1.0; 3]);
    assert!(Real::clamp(0.5, f32::NAN, 1.0).is_nan() && Real::clamp(0.5, 0.0, f32::NAN).is_nan());
    for x in [-1e30, -100.0, -20.0, -1.0, 0.0, 1.0, 19.9, 20.1, 1e30, f64::INFINITY, f64::NAN] {
        let want = x.max(0.0) + (-x.abs()).exp().ln_1p();
        let got = Real::softplus(x);
        assert!(got.is_nan() && x.is_nan() || got == want || ((got - want) / want).abs() < 2e-10, "{x}");
    }
}

#[test]
fn plain_and_fused_agree_within_roundings() {
    for case in cases() {
        for x in sweep32() {
            let (plain, fused) = ((case.plain32)(x), (case.fused32)(x));
            assert!(ulps32(fused, f64::from(plain)) <= 4.0, "{}({x:e}) = {plain:e}, {fused:e}", case.name);
        }
        for x in sweep64() {
            let (plain, fused) = ((case.plain64)(x), (case.fused64)(x));
            assert!(ulps64(fused, plain) <= 4.0, "{}({x:e}) = {plain:e}, {fused:e}", case.name);
        }
    }
}
