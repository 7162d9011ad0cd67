//! Loops in vectors, at sizes that are no whole number of them: every element as if it were alone.

use wengert_core::{Float, Parameter, Tensor, Variable};
use wengert_optim::{
    AdamOptions, AdamWOptions, ClipGradNorm, Optimizer, RmsPropOptions, Rule, RuleOptimizer, SgdOptions,
    clip_grad_value,
};

use crate::{bits, set_grad};

const SIZES: [usize; 9] = [1, 3, 15, 16, 17, 63, 65, 1000, 4099];
const STEPS: usize = 3;

/// Numbers without a pattern, in [-3, 3).
fn numbers(len: usize, seed: usize) -> Vec<f64> {
    (0..len).map(|i| ((i * 7919 + seed * 104_729 + i * i) % 1009) as f64 / 168.2 - 3.0).collect()
}

fn of<T: Float>(values: &[f64]) -> Parameter<T> {
    Parameter::new(Tensor::from_fn([values.len()], |i| T::from_f64(values[i])))
}

pub(crate) fn as_if_alone<T: Float>(options: impl Rule) {
    for size in SIZES {
        let start = numbers(size, 0);
        let whole = of::<T>(&start);
        let alone: Vec<_> = start.iter().map(|&x| of::<T>(&[x])).collect();
        let mut steppers = [
            RuleOptimizer::with([whole.clone()], options.clone()).unwrap(),
            RuleOptimizer::with(alone.clone(), options.clone()).unwrap(),
        ];
        for step in 1..=STEPS {
            let grads = numbers(size, step);
            set_grad(&whole, &grads);
            alone.iter().zip(&grads).for_each(|(parameter, &grad)| set_grad(parameter, &[grad]));
            steppers.iter_mut().for_each(|stepper| stepper.step().unwrap());
        }
        assert_eq!(bits(&[whole]), bits(&alone), "{options_name} of {size}", options_name = name(&options));
    }
}

fn name<R: Rule>(_: &R) -> &'static str {
    R::NAME
}

#[test]
fn each_element_is_stepped_as_if_it_were_alone() {
    let sgd = SgdOptions::default().lr(0.1).weight_decay(0.01);
    let adam = AdamOptions::default().lr(0.1).weight_decay(0.01);
    let rms_prop = RmsPropOptions::default();
    as_if_alone::<f32>(sgd.clone());
    as_if_alone::<f64>(sgd.clone().momentum(0.9).nesterov(true));
    as_if_alone::<f32>(sgd.momentum(0.9).dampening(0.1).maximize(true));
    as_if_alone::<f32>(adam.clone());
    as_if_alone::<f64>(adam.clone());
    as_if_alone::<f32>(adam.amsgrad(true));
    as_if_alone::<f32>(AdamWOptions::default());
    as_if_alone::<f32>(rms_prop.clone());
    as_if_alone::<f64>(rms_prop.clone().momentum(0.9));
    as_if_alone::<f32>(rms_prop.centered(true).momentum(0.9));
}

fn norm_is_naive<T: Float>() {
    for size in SIZES {
        let exact: Vec<f64> = numbers(size, 1).into_iter().map(|x| T::from_f64(x).to_f64()).collect();
        let magnitudes = || exact.iter().map(|x| x.abs());
        for (norm_type, expected) in [
            (1.0, magnitudes().sum::<f64>()),
            (2.0, magnitudes().map(|x| x * x).sum::<f64>().sqrt()),
            (3.0, magnitudes().map(|x| x.powi(3)).sum::<f64>().cbrt()),
            (f64::INFINITY, magnitudes().fold(0.0, f64::max)),
        ] {
            let w = of::<T>(&exact);
            set_grad(&w, &exact);
            let got = ClipGradNorm::new(1.0)
                .norm_type(norm_type)
                .error_if_nonfinite(true)
                .clip(std::slice::from_ref(&w))
                .unwrap();
            assert!(
                (got - expected).abs() <= 1e-13 * expected,
                "{norm_type}-norm of {size}: {got}, {expected}"
            );
            let scale = T::from_f64((1.0 / (got + 1e-6)).min(1.0));
            let scaled: Vec<T> = exact.iter().map(|&x| T::from_f64(x) * scale).collect();
            assert_eq!(w.grad().unwrap().to_vec(), scaled, "{norm_type}-norm of {size}");
        }
    }
}

#[test]
fn norms_are_those_of_naive_loops() {
    norm_is_naive::<f32>();
    norm_is_naive::<f64>();
}

#[test]
fn values_are_held_wherever_they_are() {
    for size in SIZES {
        let (w, values) = (of::<f32>(&vec![0.0; size]), numbers(size, 2));
        set_grad(&w, &values);
        clip_grad_value(std::slice::from_ref(&w), 1.5);
        let held: Vec<f32> = values.iter().map(|&x| (x as f32).clamp(-1.5, 1.5)).collect();
        assert_eq!(w.grad().unwrap().to_vec(), held, "{size} values");
    }
}

#[test]
fn a_nan_is_seen_at_every_place_of_many() {
    for at in (0..129).step_by(8) {
        for norm_type in [1.0, 2.0, f64::INFINITY] {
            let w = of::<f32>(&[0.0; 129]);
            let grad = Tensor::from_fn([129], |i| if i == at { f32::NAN } else { i as f32 });
            w.set_grad(Some(Variable::from(grad)));
            assert!(
                ClipGradNorm::new(1.0).norm_type(norm_type).clip(&[w]).unwrap().is_nan(),
                "{norm_type} at {at}"
            );
        }
    }
}

#[test]
fn squares_that_no_f32_holds_have_a_norm() {
    let w = of::<f32>(&[0.0; 40]);
    set_grad(&w, &[1e30; 40]);
    let norm = ClipGradNorm::new(1.0).error_if_nonfinite(true).clip(&[w]).unwrap();
    assert!((norm / (f64::from(1e30f32) * 40f64.sqrt()) - 1.0).abs() < 1e-12);
}
