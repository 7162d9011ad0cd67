//! Every pointwise rule at the numbers where rules go wrong: zeros, subnormals, huge ones, infinities, NaN.

use ndarray::ArrayD;
use wengert_core::{Float, Tensor, Variable};

use crate::check::{gradients, leaves, refs, ulps, ulps32};
use crate::elementwise::{Rule, broadcast_loop, rules};

/// Values at the ends of a type's range, at the ends of functions' ranges, and ordinary ones.
fn table(smallest: f64, normal: f64, largest: f64) -> Vec<f64> {
    let sizes = [
        0.0,
        smallest,
        40.0 * smallest,
        normal,
        1e-20,
        1e-9,
        0.05,
        0.5,
        1.0,
        1.5,
        2.0,
        3.0,
        12.0,
        20.0,
        20.5,
    ];
    let large = [40.0, 88.0, 104.0, 709.0, 746.0, 1e10, 1e20, largest, f64::INFINITY];
    let both = sizes.into_iter().chain(large).flat_map(|x| [x, -x]);
    both.chain([f64::NAN]).collect()
}

fn table64() -> Vec<f64> {
    table(f64::from_bits(1), f64::MIN_POSITIVE, f64::MAX)
}

fn table32() -> Vec<f64> {
    table(f32::from_bits(1).into(), f32::MIN_POSITIVE.into(), f32::MAX.into())
}

/// How many arguments the rule takes: those with domains, one if it is listed for special values alone.
fn arity<T: Float>(rule: &Rule<T>) -> usize {
    rule.domains.len().max(1)
}

/// Every combination of the values, one argument along each axis.
fn combinations<T: Float>(values: &[f64], arguments: usize) -> Vec<Tensor<T>> {
    // Three arguments at once: every third value will do.
    let values: Vec<f64> =
        if arguments < 3 { values.to_vec() } else { values.iter().copied().step_by(3).collect() };
    let along = |axis: usize| {
        let mut shape = vec![1; arguments];
        shape[axis] = values.len();
        let line = Tensor::from_fn(shape, |i| T::from_f64(values[i]));
        line.expand(&vec![values.len(); arguments]).unwrap().copy()
    };
    (0..arguments).map(along).collect()
}

fn at<T: Float>(inputs: &[Tensor<T>], i: usize) -> Vec<T> {
    inputs.iter().map(|x| x.as_slice().unwrap()[i]).collect()
}

fn values_hold<T: Float>(values: &[f64], epsilon: f64, far: impl Fn(T, f64) -> bool) {
    for rule in rules::<T>() {
        let inputs = combinations::<T>(values, arity(&rule));
        let out = (rule.function)(&refs(&leaves(&inputs))).to_vec();
        let arrays: Vec<ArrayD<f64>> =
            inputs.iter().map(|x| x.cast::<f64>().as_ndarray().to_owned()).collect();
        let expected = broadcast_loop(&arrays, rule.naive);
        for (i, (&got, &expected)) in out.iter().zip(&expected).enumerate() {
            let near = (got.to_f64() - expected).abs() <= rule.slack * epsilon;
            assert!(
                near || !far(got, expected),
                "{} at {:?}: {got:?}, expected {expected:?}",
                rule.name,
                at(&inputs, i)
            );
        }
    }
}

#[test]
fn values_are_those_of_the_plain_functions() {
    values_hold::<f64>(&table64(), f64::EPSILON, |got, expected| ulps(got, expected) > 4);
    // In f64 and rounded; a formula that rounds in between may be off by that.
    values_hold::<f32>(&table32(), f32::EPSILON.into(), |got, expected| ulps32(got, expected as f32) > 4);
}

/// Both readings of a rule's derivative, for one cotangent everywhere.
fn readings<T: Float>(rule: &Rule<T>, inputs: &[Tensor<T>], cotangent: f64) -> [Vec<Variable<T>>; 2] {
    [false, true].map(|record| {
        let leaves = leaves(inputs);
        let out = (rule.function)(&refs(&leaves));
        let cotangent = Variable::from(Tensor::full(out.shape(), T::from_f64(cotangent)));
        gradients(&[out], &[cotangent], &refs(&leaves), record)
    })
}

fn readings_agree<T: Float>(values: &[f64], far: impl Fn(T, T) -> bool) {
    for rule in rules::<T>() {
        let inputs = combinations::<T>(values, arity(&rule));
        for cotangent in [1.0, -2.5] {
            let [dual, recorded] = readings(&rule, &inputs, cotangent);
            for (k, (dual, recorded)) in dual.iter().zip(&recorded).enumerate() {
                for (i, (d, r)) in dual.to_vec().into_iter().zip(recorded.to_vec()).enumerate() {
                    let at = at(&inputs, i);
                    assert!(
                        !far(d, r),
                        "{} at {at:?}, derivative {k}: dual {d:?}, recorded {r:?}",
                        rule.name
                    );
                }
            }
        }
    }
}

#[test]
fn the_dual_and_the_recorded_derivative_agree() {
    readings_agree::<f64>(&table64(), |dual, recorded| ulps(dual, recorded) > 4);
    readings_agree::<f32>(&table32(), |dual, recorded| ulps32(dual, recorded) > 4);
}

fn zero_stays_zero<T: Float>(values: &[f64]) {
    for rule in rules::<T>() {
        let inputs = combinations::<T>(values, arity(&rule));
        for (reading, gradients) in ["dual", "recorded"].iter().zip(readings(&rule, &inputs, 0.0)) {
            for (k, gradient) in gradients.iter().enumerate() {
                let wrong = gradient.to_vec().iter().position(|&g| g != T::ZERO);
                let at = wrong.map(|i| at(&inputs, i));
                assert!(wrong.is_none(), "{} at {at:?}, {reading} derivative {k}", rule.name);
            }
        }
    }
}

#[test]
fn a_zero_cotangent_gives_zero_however_singular_the_point() {
    zero_stays_zero::<f64>(&table64());
    zero_stays_zero::<f32>(&table32());
}
