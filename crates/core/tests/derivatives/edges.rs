//! What holds at the edges of the numbers: large ones beside each other, infinities, NaN, sums of many
//! terms, nothing at all.

use wengert_core::{Float, Tensor, Variable};

use crate::check::{gradients, leaf};

const SIZES: [f64; 10] = [0.0, 1e3, 1e5, 1e7, 1e15, 1e30, -1e3, -1e5, -1e7, -1e30];
const INF: f64 = f64::INFINITY;
const LN_2: f64 = std::f64::consts::LN_2;

/// A function's elements at `x`; the gradient of the first one, unrecorded and recorded; the gradient of
/// that one's first element.
struct Found {
    value: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

fn one_hot<T: Float>(shape: &[usize]) -> Variable<T> {
    Variable::from(Tensor::from_fn(shape, |i| if i == 0 { T::ONE } else { T::ZERO }))
}

fn numbers<T: Float>(x: &Variable<T>) -> Vec<f64> {
    x.to_vec().into_iter().map(T::to_f64).collect()
}

fn at<T: Float>(f: impl Fn(&Variable<T>) -> Variable<T>, x: &[f64], shape: &[usize]) -> Found {
    let x = leaf(&Tensor::from_fn(shape, |i| T::from_f64(x[i])));
    let found = [false, true].map(|record| {
        let y = f(&x);
        let value = numbers(&y);
        (value, gradients(std::slice::from_ref(&y), &[one_hot(y.shape())], &[&x], record).remove(0))
    });
    let [(_, plain), (value, recorded)] = found;
    let (plain, first) = (numbers(&plain), numbers(&recorded));
    near(&plain, &first, 4.0 * epsilon::<T>(), "the unrecorded derivative beside the recorded one");
    let second =
        gradients(std::slice::from_ref(&recorded), &[one_hot(recorded.shape())], &[&x], false).remove(0);
    Found { value, first, second: numbers(&second) }
}

fn epsilon<T: Float>() -> f64 {
    if T::NAME == "f32" { f32::EPSILON.into() } else { f64::EPSILON }
}

fn near(got: &[f64], expected: &[f64], within: f64, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (a, b) in got.iter().zip(expected) {
        let same = a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= within * b.abs().max(1.0);
        assert!(same, "{what}: {got:?}, expected {expected:?}");
    }
}

/// Tests of what holds in both types.
macro_rules! in_both {
    ($($(#[$meta:meta])* fn $name:ident<T>() $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            fn holds<T: Float>() $body
            holds::<f32>();
            holds::<f64>();
        }
    )*};
}

in_both! {
    fn log_softmax_keeps_the_differences_of_numbers_of_any_size<T>() {
        let within = 4.0 * epsilon::<T>();
        for m in SIZES {
            let found = at::<T>(|x| x.log_softmax(0), &[m, m], &[2]);
            near(&found.value, &[-LN_2; 2], within, &format!("log_softmax at {m}"));
            near(&found.first, &[0.5, -0.5], within, &format!("its slope at {m}"));
            near(&found.second, &[-0.25, 0.25], within, &format!("its second derivative at {m}"));
            let wide = at::<T>(|x| x.log_softmax(1), &[m; 80], &[2, 40]);
            near(&wide.value, &[-40f64.ln(); 80], within, &format!("log_softmax of rows at {m}"));
            // A difference that both can hold.
            let apart = at::<T>(|x| x.log_softmax(0), &[1e3 + 1.0, 1e3], &[2]);
            let share = 1.0 / (1.0 + (-1f64).exp());
            near(&apart.value, &[share.ln(), (1.0 - share).ln()], within, "one apart");
            near(&apart.first, &[1.0 - share, share - 1.0], within, "its slope");
        }
    }

    fn its_kin_have_their_slopes_at_numbers_of_any_size<T>() {
        let within = 4.0 * epsilon::<T>();
        for m in SIZES {
            let (x, shape) = ([m, m], [2]);
            let sum = at::<T>(|x| x.logsumexp(0), &x, &shape);
            near(&sum.value, &[T::from_f64(m).to_f64() + LN_2], within, &format!("logsumexp at {m}"));
            near(&sum.first, &[0.5, 0.5], within, &format!("its slope at {m}"));
            near(&sum.second, &[0.25, -0.25], within, &format!("its second derivative at {m}"));
            let share = at::<T>(|x| x.softmax(0), &x, &shape);
            near(&share.value, &[0.5, 0.5], within, &format!("softmax at {m}"));
            near(&share.first, &[0.25, -0.25], within, &format!("its slope at {m}"));
            let target = Tensor::from([0i64]);
            let loss = at::<T>(|x| x.cross_entropy(&target, -1).unwrap(), &x, &[1, 2]);
            near(&loss.value, &[LN_2], within, &format!("cross_entropy at {m}"));
            near(&loss.first, &[-0.5, 0.5], within, &format!("its slope at {m}"));
            near(&loss.second, &[0.25, -0.25], within, &format!("its second derivative at {m}"));
            let both = at::<T>(|x| x.narrow(0, 0, 1).logaddexp(&x.narrow(0, 1, 1)), &x, &shape);
            near(&both.value, &sum.value, within, &format!("logaddexp at {m}"));
            near(&both.first, &[0.5, 0.5], within, &format!("its slope at {m}"));
        }
    }

    fn logsumexp_is_infinite_where_an_element_is_and_spoils_no_other_row<T>() {
        let within = 4.0 * epsilon::<T>();
        let rows = [0.0, LN_2, INF, 1.0, INF, INF, -INF, -INF, INF, -INF, -INF, 3.0];
        let found = at::<T>(|x| x.logsumexp(1), &rows, &[6, 2]);
        near(&found.value, &[3f64.ln(), INF, INF, -INF, INF, 3.0], within, "rows with infinities");
        near(&found.first[..2], &[1.0 / 3.0, 2.0 / 3.0], within, "the slope of a finite row");
        near(&found.second[..2], &[2.0 / 9.0, -2.0 / 9.0], within, "its second derivative");
        let slopes = |row: [f64; 2]| at::<T>(|x| x.logsumexp(0), &row, &[2]).first;
        near(&slopes([INF, 1.0]), &[f64::NAN, 0.0], 0.0, "beside positive infinity, as in PyTorch");
        near(&slopes([-INF, 3.0]), &[0.0, 1.0], 0.0, "beside negative infinity");
        near(&slopes([-INF, -INF]), &[f64::NAN; 2], 0.0, "negative infinity alone, as in PyTorch");
        near(&slopes([f64::NAN, 1.0]), &[f64::NAN; 2], 0.0, "a NaN");
    }

    fn running_sums_are_rounded_once<T>() {
        const COUNT: usize = 1 << 18;
        let term = T::from_f64(0.1).to_f64();
        for inner in [1, 3] {
            let x = leaf(&Tensor::full([COUNT, inner], T::from_f64(0.1)));
            let sums = x.cumsum(0);
            for (i, sum) in numbers(&sums).into_iter().enumerate() {
                let expected = term * (i / inner + 1) as f64;
                let near = (sum / expected - 1.0).abs() <= epsilon::<T>().max(1e-11);
                assert!(near, "{i}: {sum}, not {expected}");
            }
            // A cotangent of a million equal terms runs the other way.
            let cotangent = Variable::from(x.value());
            let first = numbers(&gradients(&[sums], &[cotangent], &[&x], false)[0])[0];
            assert!((first / (term * COUNT as f64) - 1.0).abs() <= epsilon::<T>().max(1e-11), "{first}");
        }
    }

    fn running_products_and_recurrences_are_rounded_once<T>() {
        const COUNT: usize = 1 << 16;
        let factor = T::from_f64(1.0 + 1e-5).to_f64();
        let x = Variable::<T>::from(Tensor::full([COUNT], T::from_f64(factor)));
        let last = |y: Variable<T>| numbers(&y)[COUNT - 1];
        let power = factor.powi(COUNT as i32);
        let off = |got: f64, expected: f64| (got / expected - 1.0).abs() / epsilon::<T>().max(1e-11);
        assert!(off(last(x.cumprod(0)), power) <= 1.0);
        let ones = Variable::from(Tensor::ones([COUNT]));
        let series = (power - 1.0) / (factor - 1.0);
        assert!(off(last(x.linear_scan(&ones, 0)), series) <= 1.0);
        assert!(x.prod().item().unwrap().to_f64() == last(x.cumprod(0)));
        let negative = Variable::<T>::from(Tensor::full([1], T::from_f64(-0.0)));
        assert!(numbers(&negative.cumprod(0))[0].is_sign_negative());
    }

    fn sums_and_means_of_many_equal_terms_keep_their_digits<T>() {
        const COUNT: usize = 1 << 18;
        let term = T::from_f64(0.1).to_f64();
        let x = Variable::<T>::from(Tensor::full([COUNT], T::from_f64(0.1)));
        for (got, expected) in [(x.sum(), term * COUNT as f64), (x.mean(), term)] {
            let off = (got.item().unwrap().to_f64() / expected - 1.0).abs();
            assert!(off <= 3.0 * epsilon::<T>().max(1e-12), "{off}");
        }
    }

    fn equal_elements_have_no_variance_and_no_slope<T>() {
        for x in [0.1, -7.3, 1e7 + 1.0, 1e30] {
            for count in [1, 3, 17, 1000] {
                let x = vec![x; 2 * count];
                for correction in [0, 1].into_iter().filter(|&correction| correction < count) {
                    let variance = at::<T>(|x| x.var_dim(&[1], correction), &x, &[2, count]);
                    near(&variance.value, &[0.0; 2], 0.0, "variance");
                    let deviation = at::<T>(|x| x.std_dim(&[1], correction), &x, &[2, count]);
                    near(&deviation.value, &[0.0; 2], 0.0, "deviation");
                    near(&deviation.first, &vec![0.0; 2 * count], 0.0, "its slope");
                }
            }
        }
        let apart = at::<T>(|x| x.var_dim(&[0], 1), &[1e6 + 1.0, 1e6 + 2.0, 1e6 + 3.0], &[3]);
        near(&apart.value, &[1.0], epsilon::<T>(), "variance far from 0");
    }

    fn the_deviation_of_two_elements_is_as_steep_near_each_other_as_far_apart<T>() {
        let root_half = 0.5f64.sqrt();
        for x in [1.0f64, -0.3, 1e6] {
            for units in [1.0, 3.0, 100.0] {
                let pair = [x, x + units * epsilon::<T>() * x.abs().log2().floor().exp2()];
                let pair = pair.map(|x| T::from_f64(x).to_f64());
                let deviation = at::<T>(|x| x.std_dim(&[0], 1), &pair, &[2]);
                near(&deviation.first, &[-root_half, root_half], 4.0 * epsilon::<T>(), "slope");
                // Both terms of the curvature, which cancel, are as large as this.
                let term = 1.0 / deviation.value[0];
                near(&deviation.second, &[0.0; 2], 8.0 * epsilon::<T>() * term, "curvature");
            }
        }
    }

    fn a_bound_of_clamp_that_is_nan_or_crossed_has_its_way<T>() {
        let x = [-INF, 0.0, 1.0, 1.5, 2.0, 5.0, INF];
        let clamped = |min: f64, max: f64| {
            let found = at::<T>(|x| x.clamp(min, max), &x, &[7]);
            let all = leaf(&Tensor::from_fn([7], |i| T::from_f64(x[i])));
            let ones = Variable::from(Tensor::ones([7]));
            let slopes = gradients(&[all.clamp(min, max)], &[ones], &[&all], false).remove(0);
            (found.value, numbers(&slopes), found.second)
        };
        let flat = vec![0.0; 7];
        for (min, max) in [(2.0, 1.0), (INF, 1.0), (2.0, -INF), (INF, -INF)] {
            assert_eq!(clamped(min, max), (vec![max; 7], flat.clone(), flat.clone()), "{min} {max}");
        }
        for (min, max) in [(f64::NAN, 1.0), (0.0, f64::NAN), (f64::NAN, f64::NAN)] {
            let (value, first, second) = clamped(min, max);
            assert!(value.iter().all(|y| y.is_nan()), "{min} {max}: {value:?}");
            assert_eq!((first, second), (flat.clone(), flat.clone()), "{min} {max}");
        }
        assert_eq!(clamped(1.0, 2.0).0, [1.0, 1.0, 1.0, 1.5, 2.0, 2.0, 2.0]);
        let nan = at::<T>(|x| x.clamp(0.0, 1.0), &[f64::NAN], &[1]);
        assert!(nan.value[0].is_nan());
    }

    fn an_ignored_row_is_flat_at_every_order_whatever_it_holds<T>() {
        for ignored in [f64::NAN, INF, -INF, 1.0] {
            let x = leaf(&Tensor::from_fn([2, 2], |i| T::from_f64([ignored, 1.0, 0.5, 0.5][i])));
            let cotangents: Variable<T> = leaf(&Tensor::ones([2]));
            let loss = x.cross_entropy(&Tensor::from([7i64, 1]), 7).unwrap();
            let inputs = [&x, &cotangents];
            let first = gradients(&[loss], std::slice::from_ref(&cotangents), &inputs, true).remove(0);
            near(&numbers(&first), &[0.0, 0.0, 0.5, -0.5], epsilon::<T>(), "first");
            let weights = Variable::from(Tensor::from_fn([2, 2], |i| T::from_f64(i as f64 + 1.0)));
            let second = gradients(&[first], &[weights], &inputs, true);
            near(&numbers(&second[0]), &[0.0, 0.0, -0.25, 0.25], 4.0 * epsilon::<T>(), "second");
            near(&numbers(&second[1]), &[0.0, -0.5], 4.0 * epsilon::<T>(), "in the cotangent");
            let ones = Variable::from(Tensor::ones([2, 2]));
            let third = gradients(&second[..1], &[ones], &inputs, false);
            near(&numbers(&third[0])[..2], &[0.0, 0.0], 0.0, "third");
        }
    }

    fn the_norm_of_nothing_is_zero_and_has_a_gradient<T>() {
        for p in [0.0, 0.5, 1.0, 2.0, 3.0, INF] {
            for (shape, dims, norms) in [(&[0][..], &[][..], 1), (&[2, 0], &[1], 2), (&[0, 3], &[0], 3)] {
                let x: Variable<T> = leaf(&Tensor::zeros(shape));
                let norm = x.norm(p, dims);
                let bits: Vec<u64> = numbers(&norm).into_iter().map(f64::to_bits).collect();
                assert_eq!(bits, vec![0; norms], "{p}-norm of {shape:?}");
                norm.sum().backward().unwrap();
                assert_eq!(x.grad().unwrap().shape(), shape);
            }
        }
    }

    fn norms_of_numbers_whose_squares_leave_the_range_are_theirs<T>() {
        let edge = if T::NAME == "f32" { 1e30 } else { 1e300 };
        for size in [edge, 1.0 / edge] {
            let found = at::<T>(|x| x.norm(2.0, &[]), &[3.0 * size, -4.0 * size], &[2]);
            assert!((found.value[0] / (5.0 * size) - 1.0).abs() <= 4.0 * epsilon::<T>(), "{size}");
            near(&found.first, &[0.6, -0.8], 4.0 * epsilon::<T>(), "slope");
        }
    }

    fn an_angle_beside_a_subnormal_number_has_its_slopes<T>() {
        let least = if T::NAME == "f32" { f32::from_bits(1).into() } else { f64::from_bits(1) };
        let slopes = |y: f64, x: f64| {
            at::<T>(|v| v.narrow(0, 0, 1).atan2(&v.narrow(0, 1, 1)), &[y, x], &[2]).first
        };
        near(&slopes(0.0, least), &[INF, 0.0], 0.0, "on the axis of x");
        near(&slopes(least, 0.0), &[0.0, -INF], 0.0, "on the axis of y");
        near(&slopes(f64::NAN, 0.0), &[f64::NAN; 2], 0.0, "no number");
    }
}
