//! Losses of classes, and the mean of squares.

use proptest::prelude::*;
use wengert_core::{Parameter, Tensor, Variable};
use wengert_nn::loss::{CrossEntropyLoss, IGNORE};
use wengert_nn::{cross_entropy, mse_loss};

use crate::{V, close, config, variable};

fn naive_cross_entropy(rows: &[Vec<f64>], targets: &[i64]) -> f64 {
    let kept = || rows.iter().zip(targets).filter(|(_, target)| **target != IGNORE);
    let loss =
        |row: &[f64], target: i64| row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[target as usize];
    kept().map(|(row, &target)| loss(row, target)).sum::<f64>() / kept().count() as f64
}

/// Logits with a target for each row, at least one of them kept.
fn classified() -> impl Strategy<Value = (Vec<Vec<f64>>, Vec<i64>)> {
    (1..6usize, 1..7usize).prop_flat_map(|(classes, samples)| {
        let row = proptest::collection::vec(-5.0..5.0f64, classes);
        let target = prop_oneof![4 => 0..classes as i64, 1 => Just(IGNORE)];
        let targets = proptest::collection::vec(target, samples);
        let targets = targets.prop_filter("one is kept", |all| all.iter().any(|&target| target != IGNORE));
        (proptest::collection::vec(row, samples), targets)
    })
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn cross_entropy_is_the_mean_of_the_kept_rows((rows, targets) in classified()) {
        let logits = V::new(Tensor::from_vec(rows.concat(), [rows.len(), rows[0].len()]).unwrap());
        let loss = cross_entropy(&logits, &Tensor::from(targets.clone())).unwrap().item().unwrap();
        let expected = naive_cross_entropy(&rows, &targets);
        prop_assert!((loss - expected).abs() < 1e-12 * expected.max(1.0), "{loss}, expected {expected}");
    }

    #[test]
    fn the_gradient_of_cross_entropy_is_probability_minus_target((rows, targets) in classified()) {
        let (samples, classes) = (rows.len(), rows[0].len());
        let logits = Tensor::from_vec(rows.concat(), [samples, classes]).unwrap();
        let logits = V::new(logits).requires_grad_(true);
        cross_entropy(&logits, &Tensor::from(targets.clone())).unwrap().backward().unwrap();
        let kept = targets.iter().filter(|&&target| target != IGNORE).count() as f64;
        let expected = rows.iter().zip(&targets).flat_map(|(row, &target)| {
            let total: f64 = row.iter().map(|x| x.exp()).sum();
            let hit = move |i: usize| if i as i64 == target { 1.0 } else { 0.0 };
            let weight = if target == IGNORE { 0.0 } else { 1.0 / kept };
            row.iter().enumerate().map(move |(i, x)| (x.exp() / total - hit(i)) * weight).collect::<Vec<_>>()
        });
        close(&logits.grad().unwrap().to_vec(), &expected.collect::<Vec<_>>(), 1e-12);
    }

    #[test]
    fn mse_is_the_mean_of_squares(pairs in proptest::collection::vec((-9.0..9.0f64, -9.0..9.0f64), 1..20)) {
        let (x, t): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let n = pairs.len() as f64;
        let x = V::new(Tensor::from(x)).requires_grad_(true);
        let loss = mse_loss(&x, &V::new(Tensor::from(t))).unwrap();
        let expected = pairs.iter().map(|(x, t)| (x - t).powi(2)).sum::<f64>() / n;
        prop_assert!((loss.item().unwrap() - expected).abs() < 1e-12 * expected.max(1.0));
        loss.backward().unwrap();
        let slopes: Vec<f64> = pairs.iter().map(|(x, t)| 2.0 * (x - t) / n).collect();
        close(&x.grad().unwrap().to_vec(), &slopes, 1e-12);
    }
}

#[test]
fn cross_entropy_takes_sequences_and_single_samples() {
    let logits = variable(&[4, 3, 5]);
    let targets = Tensor::from_fn([4, 3], |i| if i == 7 { IGNORE } else { i as i64 % 5 });
    let rows: Vec<Vec<f64>> = logits.to_vec().chunks(5).map(<[f64]>::to_vec).collect();
    let loss = |logits: &V, targets: &Tensor<i64>| cross_entropy(logits, targets).unwrap().item().unwrap();
    close(&[loss(&logits, &targets)], &[naive_cross_entropy(&rows, &targets.to_vec())], 1e-12);
    let single = loss(&logits.select(0, 0).select(0, 1), &Tensor::scalar(3));
    close(&[single], &[naive_cross_entropy(&rows[1..2], &[3])], 1e-12);
}

#[test]
fn cross_entropy_of_large_logits_stays_finite() {
    let logits = V::new(Tensor::from([[1000.0, 0.0], [-1000.0, 0.0]]));
    let loss = |targets: [i64; 2]| cross_entropy(&logits, &Tensor::from(targets)).unwrap().item().unwrap();
    assert_eq!(loss([0, 1]), 0.0);
    assert_eq!(loss([1, 0]), 1000.0);
}

#[test]
fn cross_entropy_of_ignored_targets_alone_is_zero() {
    // The mean of nothing, which PyTorch has as NaN.
    let logits = V::new(Tensor::full([2, 3], f64::NAN)).requires_grad_(true);
    let loss = cross_entropy(&logits, &Tensor::from([IGNORE, IGNORE])).unwrap();
    assert_eq!(loss.item().unwrap(), 0.0);
    loss.backward().unwrap();
    assert_eq!(logits.grad().unwrap().to_vec(), [0.0; 6]);
}

#[test]
fn the_axis_of_the_classes_may_be_any() {
    let logits = variable(&[2, 5, 3]);
    let targets = Tensor::from([[0i64, 4, 2], [1, 3, IGNORE]]);
    let last = cross_entropy(&logits.transpose(1, 2), &targets).unwrap().item().unwrap();
    for dim in [1, -2] {
        let loss = CrossEntropyLoss::default().class_dim(dim);
        close(&[loss.loss(&logits, &targets).unwrap().item().unwrap()], &[last], 1e-14);
        let soft = variable(&[2, 5, 3]).softmax(1);
        let expected = cross_entropy(&logits.transpose(1, 2), &soft.transpose(1, 2)).unwrap();
        let got = loss.loss(&logits, &soft).unwrap();
        close(&[got.item().unwrap()], &[expected.item().unwrap()], 1e-14);
    }
}

#[test]
fn a_class_of_weight_zero_counts_nowhere() {
    let logits = variable(&[3, 2]);
    let loss = CrossEntropyLoss::default().class_weight(&Tensor::from([1.0, 0.0]));
    let kept = cross_entropy(&logits.narrow(0, 0, 1), &Tensor::from([0i64])).unwrap();
    let got = loss.loss(&logits, &Tensor::from([0i64, 1, 1])).unwrap();
    close(&[got.item().unwrap()], &[kept.item().unwrap()], 1e-15);
    assert_eq!(loss.loss(&logits, &Tensor::from([1i64, 1, 1])).unwrap().item().unwrap(), 0.0);
}

#[test]
fn losses_of_frozen_inputs_can_be_computed_and_record_nothing() {
    let x = Parameter::new(Tensor::<f64>::ones([2, 3]));
    x.set_requires_grad(false);
    assert!(!cross_entropy(&x, &Tensor::from([0i64, 1])).unwrap().requires_grad());
    assert!(!mse_loss(&x, &variable(&[2, 3])).unwrap().requires_grad());
}

#[test]
fn cross_entropy_asks_for_a_class_even_if_every_target_is_ignored() {
    let error = cross_entropy(&Variable::new(Tensor::<f64>::zeros([2, 0])), &Tensor::from([-100i64, -100]))
        .unwrap_err();
    assert_eq!(error.to_string(), "cross_entropy: expected logits with at least one class, got [2, 0]");
}
