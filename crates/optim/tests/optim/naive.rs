//! Each optimizer against sums over all gradients so far, instead of running means.

use proptest::prelude::*;
use wengert_optim::{AdamOptions, AdamWOptions, Optimizer, RmsPropOptions, Rule, RuleOptimizer, SgdOptions};

use crate::{Case, adam, adam_w, case, config, rms_prop, sgd};

pub(crate) fn check<R: Rule>(
    options: R,
    case: &Case,
    naive: impl Fn(&R, f64, &[f64]) -> f64,
) -> Result<(), TestCaseError> {
    let parameters = case.parameters::<f64>();
    let mut stepper = RuleOptimizer::<R, f64>::with(parameters.clone(), options.clone()).unwrap();
    for step in 0..case.grads.len() {
        case.set_grads(step, &parameters);
        stepper.step().unwrap();
        for (n, parameter) in parameters.iter().enumerate() {
            for (i, (start, got)) in case.parameters[n].values.iter().zip(parameter.to_vec()).enumerate() {
                let seen: Vec<f64> = case.grads[..=step]
                    .iter()
                    .filter_map(|grads| Some(grads[n].as_ref()?.values[i]))
                    .collect();
                let expected = naive(&options, *start, &seen);
                let far = (got - expected).abs() > 1e-9 * expected.abs().max(1.0);
                prop_assert!(!far && !got.is_nan(), "step {step} of {n}[{i}]: {got}, expected {expected}");
            }
        }
    }
    Ok(())
}

/// The sum of the values, the newest with weight 1 and each older one with `decay` times the next one's.
fn faded(decay: f64, values: impl DoubleEndedIterator<Item = f64>) -> f64 {
    values.rev().enumerate().map(|(age, x)| decay.powf(age as f64) * x).sum()
}

fn naive_sgd(options: &SgdOptions, mut p: f64, grads: &[f64]) -> f64 {
    let mut seen = Vec::new();
    for grad in grads {
        let g = if options.maximize { -grad } else { *grad } + options.weight_decay * p;
        // The first one enters without dampening.
        seen.push(if seen.is_empty() { g } else { (1.0 - options.dampening) * g });
        let buffer = faded(options.momentum, seen.iter().copied());
        let direction = if options.momentum == 0.0 {
            g
        } else if options.nesterov {
            g + options.momentum * buffer
        } else {
            buffer
        };
        p -= options.lr * direction;
    }
    p
}

fn naive_adam(options: &AdamOptions, decoupled: bool, mut p: f64, grads: &[f64]) -> f64 {
    let AdamOptions { lr, beta1, beta2, eps, weight_decay, .. } = *options;
    let mut seen = Vec::new();
    let mut largest = 0.0f64;
    for (t, grad) in (1..).zip(grads) {
        let mut g = if options.maximize { -grad } else { *grad };
        if decoupled {
            p -= lr * weight_decay * p;
        } else {
            g += weight_decay * p;
        }
        seen.push(g);
        let corrected = |beta: f64, sum: f64| (1.0 - beta) * sum / (1.0 - beta.powf(f64::from(t)));
        let first = corrected(beta1, faded(beta1, seen.iter().copied()));
        let raw = faded(beta2, seen.iter().map(|g| g * g));
        largest = largest.max(raw);
        let second = corrected(beta2, if options.amsgrad { largest } else { raw });
        p -= lr * first / (second.sqrt() + eps);
    }
    p
}

fn naive_rms_prop(options: &RmsPropOptions, mut p: f64, grads: &[f64]) -> f64 {
    let alpha = options.alpha;
    let mut seen = Vec::new();
    let mut directions = Vec::new();
    for grad in grads {
        let g = if options.maximize { -grad } else { *grad } + options.weight_decay * p;
        seen.push(g);
        let mean = (1.0 - alpha) * faded(alpha, seen.iter().copied());
        let square = (1.0 - alpha) * faded(alpha, seen.iter().map(|g| g * g));
        let variance = if options.centered { (square - mean * mean).max(0.0) } else { square };
        directions.push(g / (variance.sqrt() + options.eps));
        p -= options.lr * faded(options.momentum, directions.iter().copied());
    }
    p
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sgd_is_a_sum_of_faded_gradients(options in sgd(), case in case()) {
        check(options, &case, naive_sgd)?;
    }

    #[test]
    fn adam_divides_the_mean_by_the_root_mean_square(options in adam(), case in case()) {
        check(options, &case, |options, p, grads| naive_adam(options, false, p, grads))?;
    }

    #[test]
    fn adam_w_decays_apart_from_the_gradient(options in adam_w(), case in case()) {
        check(options, &case, |options, p, grads| {
            let AdamWOptions { lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, .. } = *options;
            let options = AdamOptions::default().lr(lr).beta1(beta1).beta2(beta2).eps(eps);
            let options = options.weight_decay(weight_decay).amsgrad(amsgrad).maximize(maximize);
            naive_adam(&options, true, p, grads)
        })?;
    }

    #[test]
    fn rms_prop_divides_by_the_root_mean_square(options in rms_prop(), case in case()) {
        check(options, &case, naive_rms_prop)?;
    }
}
