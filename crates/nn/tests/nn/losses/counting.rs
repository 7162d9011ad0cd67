//! What all losses have in common: reductions, weights, masks, derivatives.

use wengert_check::Gradcheck;
use wengert_core::{GradOptions, Tensor, Variable, grad};
use wengert_nn::loss::Reduction;

use super::cases::{COUNT, Case, How, LEADING, cases};
use super::{leaf, numbers};
use crate::{V, close};

/// A weight and a mask, and by what each loss then counts.
fn told(seed: u64) -> (How, Vec<f64>) {
    let weights = numbers(seed + 7, COUNT, 0.1, 2.0);
    let kept: Vec<bool> = numbers(seed + 8, COUNT, 0.0, 1.0).iter().map(|&x| x < 0.6).collect();
    let factors = weights.iter().zip(&kept).map(|(&w, &kept)| if kept { w } else { 0.0 }).collect();
    let how = How {
        weight: Some(Tensor::from_vec(weights, LEADING).unwrap()),
        mask: Some(Tensor::from_vec(kept, LEADING).unwrap()),
        ..How::default()
    };
    (how, factors)
}

fn with(how: &How, reduction: Reduction) -> How {
    How { reduction, ..how.clone() }
}

fn check_values(case: &Case, how: &How, factors: &[f64]) {
    let naive: Vec<f64> = case.naive().iter().zip(factors).map(|(loss, factor)| loss * factor).collect();
    let sum: f64 = naive.iter().sum();
    let total: f64 = case.counts.iter().zip(factors).map(|(own, factor)| own * factor).sum();
    let got = |reduction| (case.call)(&with(how, reduction), &case.inputs).unwrap();
    let losses = got(Reduction::None);
    assert_eq!(losses.shape(), LEADING, "{}", case.name);
    println!("{}", case.name);
    close(&losses.to_vec(), &naive, 1e-10);
    close(&[got(Reduction::Sum).item().unwrap()], &[sum], 1e-10);
    close(&[got(Reduction::Mean).item().unwrap()], &[sum / total], 1e-10);
}

#[test]
fn every_loss_is_its_formula_in_every_reduction() {
    for seed in 1..9 {
        for case in cases(seed) {
            check_values(&case, &How::default(), &[1.0; COUNT]);
        }
    }
}

#[test]
fn weights_and_masks_multiply_losses_and_the_mean_divides_by_what_counted() {
    for seed in 1..9 {
        let (how, factors) = told(seed);
        for case in cases(seed) {
            check_values(&case, &how, &factors);
        }
    }
}

#[test]
fn a_weight_of_the_leading_axes_or_of_extent_1_is_that_of_all_behind() {
    for case in cases(3) {
        let rows = How { weight: Some(Tensor::from([2.0, 0.0, 0.5])), ..How::default() };
        let factors: Vec<f64> = (0..COUNT).map(|at| [2.0, 0.0, 0.5][at / 4]).collect();
        check_values(&case, &rows, &factors);
        let columns = Tensor::from([[true, false, true, true]]);
        let factors: Vec<f64> = (0..COUNT).map(|at| f64::from(u8::from(at % 4 != 1))).collect();
        check_values(&case, &How { mask: Some(columns), ..How::default() }, &factors);
    }
}

/// First and second derivatives of one call in all inputs, and its value.
fn derivatives(case: &Case, how: &How, inputs: &[V]) -> (f64, Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let leaves: Vec<V> = inputs.iter().map(leaf).collect();
    let all: Vec<&V> = leaves.iter().collect();
    let loss = (case.call)(how, &leaves).unwrap();
    let first = grad(&[&loss], &all, GradOptions::default().create_graph(true)).unwrap();
    let products = first.iter().map(|g| (g * &g.cos().detach()).sum());
    let product = products.reduce(|a, b| a + b).unwrap();
    let options = GradOptions::default().allow_unused(true);
    let second = if product.requires_grad() {
        grad(&[&product], &all, options).unwrap()
    } else {
        all.iter().map(|x| Variable::from(Tensor::zeros(x.shape()))).collect()
    };
    let numbers = |all: Vec<V>| all.iter().map(|x| x.to_vec()).collect::<Vec<_>>();
    (loss.item().unwrap(), numbers(first), numbers(second))
}

/// The inputs with `value` wherever the loss does not count.
fn spoilt(inputs: &[V], factors: &[f64], value: f64) -> Vec<V> {
    let each = inputs.iter().map(|x| {
        let (all, part) = (x.to_vec(), x.numel() / COUNT);
        V::new(Tensor::from_fn(x.shape(), |at| if factors[at / part] == 0.0 { value } else { all[at] }))
    });
    each.collect()
}

#[test]
fn what_does_not_count_may_be_anything_and_gets_no_gradient() {
    for seed in 1..4 {
        let (how, factors) = told(seed);
        for case in cases(seed) {
            let own = |at: usize| factors[at] * case.counts[at];
            let factors: Vec<f64> = (0..COUNT).map(own).collect();
            let clean = derivatives(&case, &how, &case.inputs);
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e300] {
                let inputs = spoilt(&case.inputs, &factors, value);
                let got = derivatives(&case, &how, &inputs);
                assert_eq!(got, clean, "{} with {value}", case.name);
                for (gradient, x) in got.1.iter().zip(&inputs) {
                    let part = x.numel() / COUNT;
                    let out = (0..x.numel()).filter(|at| factors[at / part] == 0.0);
                    assert!(out.map(|at| gradient[at]).all(|g| g == 0.0), "{}", case.name);
                }
                let losses = (case.call)(&with(&how, Reduction::None), &inputs).unwrap().to_vec();
                assert!((0..COUNT).all(|at| factors[at] > 0.0 || losses[at] == 0.0), "{}", case.name);
            }
        }
    }
}

#[test]
fn where_nothing_counts_losses_and_gradients_are_zero() {
    let how = How { mask: Some(Tensor::full(LEADING, false)), ..How::default() };
    for case in cases(2) {
        for reduction in [Reduction::Mean, Reduction::Sum] {
            let inputs = spoilt(&case.inputs, &[0.0; COUNT], f64::NAN);
            let (loss, first, second) = derivatives(&case, &with(&how, reduction), &inputs);
            assert_eq!(loss, 0.0, "{}", case.name);
            assert!(first.concat().iter().chain(&second.concat()).all(|&g| g == 0.0), "{}", case.name);
        }
    }
}

#[test]
fn first_and_second_derivatives_are_those_of_differences() {
    for seed in [1, 2] {
        let (how, _) = told(seed);
        for case in cases(seed) {
            for how in [How::default(), with(&how, Reduction::Sum)] {
                let leaves: Vec<V> = case.inputs.iter().map(leaf).collect();
                let leaves: Vec<&V> = leaves.iter().collect();
                let loss = |v: &[V]| (case.call)(&how, v).unwrap();
                let check = Gradcheck::new().atol(1e-9);
                check.check(loss, &leaves).unwrap_or_else(|failure| panic!("{}: {failure}", case.name));
                let second = check.check_second(loss, &leaves);
                second.unwrap_or_else(|failure| panic!("{}, second order: {failure}", case.name));
            }
        }
    }
}

/// Losses that are held to differences by a test of their own: `ctc.rs`.
const ELSEWHERE: [&str; 1] = ["ctc_loss"];

/// The functions of the files in `src/loss` that declare options.
fn declared() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/loss");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        if text.contains("\nloss_options! {") {
            let functions = text.lines().filter_map(|line| line.strip_prefix("pub fn "));
            names.extend(functions.filter_map(|line| line.split(['<', '(']).next()).map(str::to_string));
        }
    }
    names
}

#[test]
fn every_loss_that_is_declared_has_a_case() {
    let (declared, cases) = (declared(), cases(1));
    assert!(declared.len() > 10, "{declared:?}");
    let has_case = |name: &str| cases.iter().any(|case| case.name.split([' ', ',']).next() == Some(name));
    for name in &declared {
        let elsewhere = ELSEWHERE.contains(&name.as_str());
        assert!(has_case(name) != elsewhere, "{name} needs a case in cases.rs");
    }
}

#[test]
fn losses_of_single_precision_are_those_of_double_precision() {
    use wengert_nn::*;
    let x = Variable::new(Tensor::from([0.25f32, 0.5]));
    let y = Variable::new(Tensor::from([0.75f32, 0.125]));
    let (x64, y64) = (x.cast::<f64>(), y.cast::<f64>());
    let near = |a: Variable<f32>, b: V| {
        assert!((f64::from(a.item().unwrap()) - b.item().unwrap()).abs() < 1e-6);
    };
    near(binary_cross_entropy(&x, &y).unwrap(), binary_cross_entropy(&x64, &y64).unwrap());
    near(kl_div(&x, &y).unwrap(), kl_div(&x64, &y64).unwrap());
    near(huber_loss(&x, &y).unwrap(), huber_loss(&x64, &y64).unwrap());
    near(crps_normal_loss(&x, &y, &y).unwrap(), crps_normal_loss(&x64, &y64, &y64).unwrap());
}
