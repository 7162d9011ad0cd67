//! Derivatives by [`Dual`] against differences.

use super::{Dual, Real};
use proptest::prelude::*;

/// A formula of two variables, to be read with any number.
trait Formula {
    fn of<R: Real>(x: R, y: R) -> R;
}

/// The gradient of `F` by duals.
fn gradient<F: Formula>(x: f64, y: f64) -> [f64; 2] {
    F::of(Dual::variable(x, 0), Dual::<_, 2>::variable(y, 1)).tangent
}

/// The Hessian of `F` by duals of duals.
fn hessian<F: Formula>(x: f64, y: f64) -> [[f64; 2]; 2] {
    let inner = |v, i| Dual::<f64, 2>::variable(v, i);
    F::of(Dual::<_, 2>::variable(inner(x, 0), 0), Dual::variable(inner(y, 1), 1)).tangent.map(|t| t.tangent)
}

/// The gradient of `f` by central differences with one step of Richardson's extrapolation.
fn differences(f: impl Fn(f64, f64) -> f64, x: f64, y: f64) -> [f64; 2] {
    let central = |h: f64, d: &dyn Fn(f64) -> f64| (d(h) - d(-h)) / (2.0 * h);
    let extrapolated = |d: &dyn Fn(f64) -> f64| (4.0 * central(5e-4, d) - central(1e-3, d)) / 3.0;
    [extrapolated(&|h| f(x + h, y)), extrapolated(&|h| f(x, y + h))]
}

fn assert_close(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() <= 1e-7 * (1.0 + want.abs()), "{what}: {got} is not {want}");
}

/// Checks the first and second derivatives of `F` at one point.
fn check<F: Formula>(name: &str, x: f64, y: f64) {
    let got = gradient::<F>(x, y);
    let want = differences(F::of::<f64>, x, y);
    let second = hessian::<F>(x, y);
    for i in 0..2 {
        assert_close(got[i], want[i], &format!("{name}' {i} at ({x}, {y})"));
        let want = differences(|x, y| gradient::<F>(x, y)[i], x, y);
        for j in 0..2 {
            assert_close(second[i][j], want[j], &format!("{name}'' {i}{j} at ({x}, {y})"));
        }
    }
}

macro_rules! formulas {
    ($($name:ident: |$x:ident, $y:ident| $formula:expr, $from:expr, $to:expr;)*) => {$(
        mod $name {
            use super::*;

            struct It;

            impl Formula for It {
                fn of<R: Real>($x: R, $y: R) -> R {
                    $formula
                }
            }

            proptest! {
                #[test]
                fn agrees_with_differences(x in $from..$to, y in $from..$to) {
                    check::<It>(stringify!($name), x, y);
                }
            }
        }
    )*};
}

formulas! {
    sum: |x, y| x + y * R::lit(3.0) - x * y, -3.0, 3.0;
    product: |x, y| x * y * x, -3.0, 3.0;
    quotient: |x, y| x / (y + R::lit(5.0)) - x.recip(), 0.5, 3.0;
    negative: |x, y| -(x * y.square()), -3.0, 3.0;
    fused_product: |x, y| x.mul_add(y, x) * y.mul_add(x, R::lit(2.0)), -3.0, 3.0;
    scaled: |x, y| x.scale(y * y).scale(x), 0.1, 3.0;
    exp: |x, y| (x * y).exp() - y.exp(), -1.5, 1.5;
    exp_m1: |x, y| (x * y).exp_m1() * x, -1.5, 1.5;
    ln: |x, y| (x * y).ln() * y, 0.3, 3.0;
    ln_1p: |x, y| (x * y).ln_1p() * y, -0.7, 0.7;
    sqrt: |x, y| (x * y).sqrt() + y, 0.3, 3.0;
    tanh: |x, y| x.tanh() * (x - y).tanh(), -3.0, 3.0;
    sigmoid: |x, y| x.sigmoid() * (x - y).sigmoid(), -3.0, 3.0;
    abs: |x, y| (x * y).abs() * y, 0.1, 3.0;
    abs_negative: |x, y| (x * y * x).abs() * y, -3.0, -0.1;
    pow: |x, y| x.pow(y) + y.pow(R::lit(3.0)) + R::lit(2.0).pow(x), 0.3, 3.0;
    sin: |x, y| (x * y).sin() + y, -2.0, 2.0;
    cos: |x, y| (x * y).cos() * y, -2.0, 2.0;
    erf: |x, y| (x * y).erf() * y, -2.0, 2.0;
    ndtr: |x, y| (x * y).ndtr() * y, -2.0, 2.0;
    angle: |x, y| x.atan2(y) * y + (-x).atan2(y * y), 0.1, 3.0;
    angle_on_the_left: |x, y| x.atan2(-y) + (-x).atan2(-y * R::lit(0.3)), 0.1, 3.0;
    softplus: |x, y| (x * y).softplus(), -4.0, 4.0;
    relu: |x, y| (x.square() + y).relu() + (-x.square() - R::lit(0.1)).relu(), 0.1, 3.0;
    clamped: |x, y| (x * y).clamp(R::lit(-30.0), x.square() + R::lit(30.0)), -3.0, 3.0;
    larger: |x, y| x.square().maximum(y - R::lit(9.0)) + y.minimum(x + R::lit(9.0)), -3.0, 3.0;
    lstm_gate: |x, y| (x.sigmoid() * y + y.sigmoid() * x.tanh()).tanh() * y.sigmoid(), -2.0, 2.0;
}

/// The derivative of `f` at `x`.
fn slope(f: impl Fn(Dual<f64, 1>) -> Dual<f64, 1>, x: f64) -> f64 {
    f(Dual::variable(x, 0)).tangent[0]
}

#[test]
fn slopes_at_corners() {
    assert_eq!(slope(Real::abs, 0.0), 0.0);
    assert_eq!(slope(Real::relu, 0.0), 0.0);
    assert_eq!(slope(Real::sqrt, 0.0), f64::INFINITY);
    assert_eq!(slope(|x| x.clamp(Real::lit(0.0), Real::lit(1.0)), 0.0), 1.0);
    assert_eq!(slope(|x| x.clamp(Real::lit(0.0), Real::lit(1.0)), 1.0), 1.0);
    assert_eq!(slope(|x| x.clamp(Real::lit(0.0), Real::lit(1.0)), 1.1), 0.0);
    assert_eq!(slope(|x| x.maximum(Real::lit(2.0)), 2.0), 0.5);
    assert_eq!(slope(|x| x.minimum(Real::lit(2.0)), 2.0), 0.5);
    assert_eq!(slope(|x| x.maximum(Real::lit(f64::INFINITY)), f64::INFINITY), 0.5);
}

#[test]
fn slopes_of_softplus_are_finite_everywhere() {
    for x in [-1e300, -800.0, -30.0, 0.0, 19.9, 20.1, 800.0, 1e300] {
        assert!((slope(Real::softplus, x) - Real::sigmoid(x)).abs() < 1e-8, "{x}");
    }
}

#[test]
fn slopes_of_pow_at_its_corners() {
    let power = |x, y| Real::pow(Dual::<f64, 2>::variable(x, 0), Dual::variable(y, 1)).tangent;
    assert_eq!(power(0.0, 0.0), [0.0, 0.0]);
    assert_eq!(power(0.0, 1.0), [1.0, 0.0]);
    assert_eq!(power(0.0, 2.0), [0.0, 0.0]);
    assert_eq!(power(0.0, 0.5), [f64::INFINITY, 0.0]);
    assert_eq!(power(3.0, 0.0), [0.0, Real::ln(3f64)]);
    // A negative base has a derivative in the base only.
    assert_eq!(slope(|x| x.pow(Real::lit(3.0)), -2.0), 12.0);
    assert_eq!(slope(|x| x.pow(Real::lit(2.0)), 0.0), 0.0);
}

#[test]
fn a_zero_tangent_stays_zero_beside_a_singularity() {
    let zero = Dual::<f64, 1>::constant(0.0);
    let results = [zero.sqrt(), zero.ln(), zero.recip(), zero / zero, zero.pow(Real::lit(-1.0))];
    assert_eq!(results.map(|r| r.tangent[0]), [0.0; 5]);
    // To the second order too: a zero cotangent asks nothing of the square root's derivatives.
    let x = Dual::<f64, 1>::variable(0.0, 0);
    let scaled = zero.scale(Dual::lit(0.5) / x.sqrt());
    assert_eq!((scaled.value, scaled.tangent[0]), (0.0, 0.0));
}

#[test]
fn what_is_not_selected_does_not_count() {
    let at = |x: f64| slope(|x| Real::select(x.le(Real::lit(0.0)), Real::lit(7.0), x.sqrt() * x.ln()), x);
    assert_eq!(at(0.0), 0.0);
    assert_eq!(at(1.0), 1.0);
}

#[test]
fn slopes_of_atan2_at_the_origin_and_far_from_it() {
    let angle = |y, x| Real::atan2(Dual::<f64, 2>::variable(y, 0), Dual::variable(x, 1)).tangent;
    assert_eq!(angle(0.0, 0.0), [0.0, 0.0]);
    assert_eq!(angle(0.0, 1e200), [1e-200, 0.0]);
    assert_eq!(angle(1e-200, 0.0), [0.0, -1e200]);
    assert_eq!(angle(1.0, f64::INFINITY), [0.0, 0.0]);
}

/// Third derivatives of `x^4` and `x^y`: a selection by value must not lose what is zero in value only.
#[test]
fn third_derivatives_at_zero() {
    let nested = |x: f64| {
        let x = Dual::<f64, 1>::variable(x, 0);
        Dual::<_, 1>::variable(Dual::<_, 1>::variable(x, 0), 0)
    };
    let third = |r: Dual<Dual<Dual<f64, 1>, 1>, 1>| r.tangent[0].tangent[0].tangent[0];
    assert_eq!(third(nested(0.0).square() * nested(0.0)), 6.0);
    assert_eq!(third(nested(0.0).pow(Real::lit(3.0))), 6.0);
    assert_eq!(third(nested(0.0).sin()), -1.0);
    assert_eq!(third(nested(0.0).exp_m1()), 1.0);
    assert_eq!(third(nested(0.0).tanh()), -2.0);
}
