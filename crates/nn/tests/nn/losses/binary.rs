//! Losses of two classes, and of probabilities, where a logarithm is infinite.

use wengert_core::{Tensor, Variable};
use wengert_nn::loss::{BceWithLogitsLoss, CrossEntropyLoss, KlDivLoss, Reduction};
use wengert_nn::{binary_cross_entropy, binary_cross_entropy_with_logits, kl_div};

use super::{leaf, of};
use crate::{V, close};

/// The loss of one element and its derivatives in both inputs.
fn at(loss: impl Fn(&V, &V) -> wengert_core::Result<V>, x: f64, t: f64) -> [f64; 3] {
    let (x, t) = (leaf(&of(&[x])), leaf(&of(&[t])));
    let loss = loss(&x, &t).unwrap();
    loss.backward().unwrap();
    [loss.item().unwrap(), x.grad().unwrap().to_vec()[0], t.grad().unwrap().to_vec()[0]]
}

#[test]
fn logarithms_of_probabilities_0_and_1_end_at_minus_100() {
    let bce = |p: f64, t: f64| at(binary_cross_entropy, p, t);
    assert_eq!(bce(0.0, 0.0), [0.0, 0.0, 100.0]);
    assert_eq!(bce(1.0, 1.0), [0.0, 0.0, -100.0]);
    assert_eq!(bce(0.0, 1.0), [100.0, -1e12, 100.0]);
    assert_eq!(bce(1.0, 0.0), [100.0, 1e12, -100.0]);
    let tiny = bce(1e-50, 0.25);
    close(&tiny, &[25.0, -0.25e12, 100.0], 1e-3);
}

#[test]
fn logits_far_out_have_losses_and_gradients() {
    let bce = |x: f64, t: f64| at(binary_cross_entropy_with_logits, x, t);
    assert_eq!(bce(1e4, 1.0), [0.0, 0.0, -1e4]);
    assert_eq!(bce(1e4, 0.0), [1e4, 1.0, -1e4]);
    assert_eq!(bce(-1e4, 1.0), [1e4, -1.0, 1e4]);
    assert_eq!(bce(-1e4, 0.0), [0.0, 0.0, 1e4]);
    assert_eq!(bce(0.0, 1.0), [2f64.ln(), -0.5, 0.0]);
    // What is nearly right keeps its digits.
    let [loss, slope, _] = bce(-40.0, 0.0);
    assert!((loss / (-40f64).exp() - 1.0).abs() < 1e-12 && (slope / (-40f64).exp() - 1.0).abs() < 1e-12);
}

#[test]
fn the_weight_of_positive_examples_is_one_for_each_class() {
    let logits = Variable::new(Tensor::from([[0.0f64, 0.0], [0.0, 0.0]]));
    let target = Variable::new(Tensor::from([[1.0, 1.0], [0.0, 1.0]]));
    let loss = BceWithLogitsLoss::default().pos_weight(&Tensor::from([2.0, 5.0])).reduction(Reduction::None);
    let ln2 = 2f64.ln();
    close(&loss.loss(&logits, &target).unwrap().to_vec(), &[2.0 * ln2, 5.0 * ln2, ln2, 5.0 * ln2], 1e-15);
}

#[test]
fn a_divergence_counts_nothing_impossible() {
    let low = f64::NEG_INFINITY;
    assert_eq!(at(kl_div, low, 0.0), [0.0, 0.0, 0.0]);
    assert_eq!(at(kl_div, -3.0, 0.0), [0.0, 0.0, 0.0]);
    assert_eq!(at(kl_div, 0.0, 1.0), [0.0, -1.0, 1.0]);
    assert_eq!(at(kl_div, low, 1.0)[0], f64::INFINITY);
    let of_logs = |x: &V, t: &V| KlDivLoss::default().log_target(true).loss(x, t);
    assert_eq!(at(of_logs, low, low), [0.0, 0.0, 0.0]);
    assert_eq!(at(of_logs, -3.0, low), [0.0, 0.0, 0.0]);
    assert!(at(kl_div, -1.0, -0.5)[0].is_nan() && at(kl_div, -1.0, f64::NAN)[0].is_nan());
}

#[test]
fn smoothed_and_soft_targets_of_large_logits_stay_finite() {
    let x = leaf(&Variable::new(Tensor::from([[1e4, -1e4], [-1e4, 1e4]])));
    let loss = CrossEntropyLoss::default().label_smoothing(0.1).loss(&x, &Tensor::from([0i64, 0])).unwrap();
    close(&[loss.item().unwrap()], &[1e4], 1e-9);
    let soft = CrossEntropyLoss::default().loss(&x, &Variable::new(Tensor::from([[0.5, 0.5], [0.0, 1.0]])));
    assert_eq!(soft.unwrap().item().unwrap(), 1e4 / 2.0);
    loss.backward().unwrap();
    close(&x.grad().unwrap().to_vec(), &[0.025, -0.025, -0.475, 0.475], 1e-12);
}
