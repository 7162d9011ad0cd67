//! Clipping by norm and by value.

use proptest::prelude::*;
use wengert_core::{Parameter, Tensor, Variable};
use wengert_optim::{ClipGradNorm, clip_grad_norm, clip_grad_value};

use crate::{Case, case, config, parameter, set_grad};

fn grads(parameters: &[Parameter<f64>]) -> Vec<Option<Vec<f64>>> {
    parameters.iter().map(|parameter| parameter.grad().map(|grad| grad.to_vec())).collect()
}

fn two() -> [Parameter<f64>; 2] {
    let parameters = [parameter([0.0; 3]), Parameter::new(Tensor::zeros([2, 2]))];
    set_grad(&parameters[0], &[3.0, -4.0, 0.5]);
    set_grad(&parameters[1], &[1.25, -2.0, 0.0, 6.0]);
    parameters
}

#[test]
fn norms_are_pytorchs() {
    // `clip_grad_norm_(parameters, 2.5, norm_type)`: the norm and the first parameter's gradient after it.
    let expected = [
        (2.0, 8.173891362135908, [0.9175555130554944, -1.2234073507406593, 0.15292591884258241]),
        (1.0, 16.75, [0.44776116729784077, -0.5970148897304544, 0.0746268612163068]),
        (3.0, 6.819022034501575, [1.0998643005094644, -1.4664857340126192, 0.1833107167515774]),
        (f64::INFINITY, 6.0, [1.2499997916667014, -1.6666663888889353, 0.2083332986111169]),
    ];
    for (norm_type, norm, first) in expected {
        let parameters = two();
        let got =
            ClipGradNorm::new(2.5).norm_type(norm_type).error_if_nonfinite(true).clip(&parameters).unwrap();
        assert!((got - norm).abs() < 1e-12, "{norm_type}-norm: {got}, expected {norm}");
        let grad = grads(&parameters)[0].clone().unwrap();
        assert!(grad.iter().zip(first).all(|(got, expected)| (got - expected).abs() < 1e-12), "{grad:?}");
    }
}

#[test]
fn gradients_within_the_bound_stay_as_they_are() {
    let parameters = two();
    let before = grads(&parameters);
    clip_grad_norm(&parameters, 8.2).unwrap();
    clip_grad_norm(&parameters, f64::INFINITY).unwrap();
    assert_eq!(grads(&parameters), before);
    assert_eq!(clip_grad_norm::<f64>(&[], 1.0), Ok(0.0));
    assert_eq!(clip_grad_norm(&[parameter::<f32, 2>([1.0, 2.0])], 1.0), Ok(0.0));
}

#[test]
fn the_norm_of_nothing_is_zero_with_its_sign() {
    let empty = Parameter::<f64>::new(Tensor::zeros([0, 2]));
    empty.set_grad(Some(Variable::from(Tensor::zeros([0, 2]))));
    for norm_type in [0.5, 1.0, 2.0, 3.0, f64::INFINITY] {
        for parameters in [&[][..], &[parameter([1.0])], std::slice::from_ref(&empty)] {
            let norm = ClipGradNorm::new(1.0)
                .norm_type(norm_type)
                .error_if_nonfinite(true)
                .clip(parameters)
                .unwrap();
            assert_eq!(norm.to_bits(), 0, "the {norm_type}-norm of {} parameters: {norm}", parameters.len());
        }
    }
}

#[test]
fn a_tied_parameter_counts_once() {
    let w = parameter::<f64, 2>([0.0; 2]);
    set_grad(&w, &[3.0, 4.0]);
    let tied = [w.clone(), w.clone(), w.clone()];
    assert_eq!(clip_grad_norm(&tied, 1.0), Ok(5.0));
    let expected = [3.0, 4.0].map(|x| x / (5.0 + 1e-6));
    assert!(
        w.grad().unwrap().to_vec().iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-15)
    );
}

#[test]
fn a_nan_is_seen_wherever_it_is() {
    for at in 0..7 {
        for norm_type in [1.0, 2.0, f64::INFINITY] {
            let parameters = two();
            let mut values: Vec<f64> = grads(&parameters).into_iter().flatten().flatten().collect();
            values[at] = f64::NAN;
            set_grad(&parameters[0], &values[..3]);
            set_grad(&parameters[1], &values[3..]);
            let error = ClipGradNorm::new(1.0)
                .norm_type(norm_type)
                .error_if_nonfinite(true)
                .clip(&parameters)
                .unwrap_err();
            assert_eq!(error.to_string(), "clip_grad_norm: the gradients' norm must be finite, got NaN");
            let unchanged = grads(&parameters).into_iter().flatten().flatten().zip(&values);
            assert!(unchanged.into_iter().all(|(got, before)| got.to_bits() == before.to_bits()));
            // Without the error it spreads, as in PyTorch.
            assert!(ClipGradNorm::new(1.0).norm_type(norm_type).clip(&parameters).unwrap().is_nan());
            assert!(grads(&parameters).into_iter().flatten().flatten().all(f64::is_nan));
        }
    }
}

#[test]
fn an_infinite_norm_is_an_error_on_request() {
    let parameters = two();
    set_grad(&parameters[0], &[1.0, f64::NEG_INFINITY, 2.0]);
    let error = ClipGradNorm::new(1.0)
        .norm_type(f64::INFINITY)
        .error_if_nonfinite(true)
        .clip(&parameters)
        .unwrap_err();
    assert_eq!(error.to_string(), "clip_grad_norm: the gradients' norm must be finite, got inf");
    assert_eq!(clip_grad_norm(&parameters, 1.0), Ok(f64::INFINITY));
    assert!(grads(&parameters)[0].as_ref().unwrap()[1].is_nan());
    assert_eq!(grads(&parameters)[1], Some(vec![0.0, -0.0, 0.0, 0.0]));
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    let parameters = two();
    let before = grads(&parameters);
    for (max_norm, norm_type, expected) in [
        (-1.0, 2.0, "clip_grad_norm: max_norm must be at least 0, got -1"),
        (f64::NAN, 2.0, "clip_grad_norm: max_norm must be at least 0, got NaN"),
        (1.0, 0.0, "clip_grad_norm: norm_type must be above 0, got 0"),
        (1.0, f64::NEG_INFINITY, "clip_grad_norm: norm_type must be above 0, got -inf"),
        (1.0, f64::NAN, "clip_grad_norm: norm_type must be above 0, got NaN"),
    ] {
        let error = ClipGradNorm::new(max_norm).norm_type(norm_type).clip(&parameters).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(grads(&parameters), before);
}

#[test]
#[should_panic(expected = "clip_grad_value: value must be at least 0, got -1")]
fn a_negative_value_is_refused() {
    clip_grad_value(&two(), -1.0);
}

#[test]
fn by_value_a_nan_stays() {
    let w = parameter::<f32, 4>([0.0; 4]);
    set_grad(&w, &[f64::NAN, f64::INFINITY, -7.0, 0.25]);
    clip_grad_value(&[w.clone(), w.clone()], 0.5);
    let grad = w.grad().unwrap().to_vec();
    assert!(grad[0].is_nan());
    assert_eq!(grad[1..], [0.5, -0.5, 0.25]);
}

#[test]
fn a_gradient_that_nobody_else_holds_changes_in_place() {
    let place = |w: &Parameter<f64>| w.grad().unwrap().value().as_slice().unwrap().as_ptr();
    let w = parameter::<f64, 2>([0.0; 2]);
    set_grad(&w, &[3.0, 4.0]);
    let before = place(&w);
    clip_grad_norm(std::slice::from_ref(&w), 1.0).unwrap();
    clip_grad_value(std::slice::from_ref(&w), 0.7);
    assert_eq!(place(&w), before);
    assert_eq!(w.grad().unwrap().to_vec()[1], 0.7);

    let held = w.grad().unwrap();
    let seen = held.to_vec();
    clip_grad_value(std::slice::from_ref(&w), 0.1);
    assert_eq!(held.to_vec(), seen, "another handle keeps what it had");
    assert_eq!(w.grad().unwrap().to_vec(), vec![0.1, 0.1]);
}

#[test]
fn a_gradient_with_a_history_loses_it() {
    let w = parameter::<f64, 2>([1.0, 2.0]);
    let recorded = Variable::new(Tensor::from([3.0, 4.0])).requires_grad_(true);
    w.set_grad(Some(&recorded * 2.0));
    assert_eq!(clip_grad_norm(std::slice::from_ref(&w), 1.0), Ok(10.0));
    assert!(!w.grad().unwrap().requires_grad());
    assert_eq!(recorded.to_vec(), vec![3.0, 4.0]);
}

fn flat(case: &Case) -> Vec<f64> {
    case.grads[0].iter().flatten().flat_map(|grad| grad.values.clone()).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn by_norm_is_the_norm_of_one_long_vector(
        case in case(), max_norm in 0.0..10.0f64,
        norm_type in prop_oneof![Just(2.0), Just(1.0), Just(f64::INFINITY), 0.5..4.0f64],
    ) {
        let parameters = case.parameters::<f64>();
        case.set_grads(0, &parameters);
        let clip = ClipGradNorm::new(max_norm).norm_type(norm_type).error_if_nonfinite(true);
        let got = clip.clip(&parameters).unwrap();
        let all = flat(&case);
        let norm = if norm_type == f64::INFINITY {
            all.iter().fold(0.0, |max: f64, x| max.max(x.abs()))
        } else {
            all.iter().map(|x| x.abs().powf(norm_type)).sum::<f64>().powf(1.0 / norm_type)
        };
        prop_assert!((got - norm).abs() <= 1e-9 * norm.max(1.0), "{got}, expected {norm}");
        let scale = (max_norm / (norm + 1e-6)).min(1.0);
        let after: Vec<f64> = grads(&parameters).into_iter().flatten().flatten().collect();
        prop_assert!(after.iter().zip(&all).all(|(got, x)| (got - x * scale).abs() <= 1e-9));
        prop_assert_eq!(after.len(), all.len());
    }

    #[test]
    fn by_value_holds_each_element(case in case(), value in 0.0..4.0f64) {
        let parameters = case.parameters::<f64>();
        case.set_grads(0, &parameters);
        clip_grad_value(&parameters, value);
        let after: Vec<f64> = grads(&parameters).into_iter().flatten().flatten().collect();
        let expected: Vec<f64> = flat(&case).into_iter().map(|x| x.max(-value).min(value)).collect();
        prop_assert_eq!(after, expected);
    }
}
