//! Losses of numbers that are far out.

use wengert_core::{Tensor, Variable};
use wengert_nn::loss::{CosineEmbeddingLoss, GaussianNllLoss, PoissonNllLoss, Reduction};
use wengert_nn::{
    cosine_embedding_loss, crps_normal_loss, gaussian_nll_loss, huber_loss, l1_loss, mixture_nll_loss,
    mse_loss, nll_loss, poisson_nll_loss, quantile_loss, smooth_l1_loss,
};

use super::{leaf, of};
use crate::{V, close};

/// A loss and its gradient in the first input.
fn of_first(x: &V, loss: impl Fn(&V) -> wengert_core::Result<V>) -> (f64, Vec<f64>) {
    let x = leaf(x);
    let loss = loss(&x).unwrap();
    loss.backward().unwrap();
    (loss.item().unwrap(), x.grad().unwrap().to_vec())
}

#[test]
fn distances_of_1e4_are_those_of_their_formulas() {
    for sign in [1.0, -1.0] {
        let (x, zero) = (of(&[sign * 1e4]), of(&[0.0]));
        assert_eq!(of_first(&x, |x| mse_loss(x, &zero)), (1e8, vec![sign * 2e4]));
        assert_eq!(of_first(&x, |x| l1_loss(x, &zero)), (1e4, vec![sign]));
        assert_eq!(of_first(&x, |x| smooth_l1_loss(x, &zero)), (1e4 - 0.5, vec![sign]));
        assert_eq!(of_first(&x, |x| huber_loss(x, &zero)), (1e4 - 0.5, vec![sign]));
        let slope = if sign > 0.0 { 0.75 } else { -0.25 };
        assert_eq!(of_first(&x, |x| quantile_loss(x, &zero, &[0.25])), (1e4 * f64::abs(slope), vec![slope]));
        let (crps, slopes) = of_first(&x, |x| crps_normal_loss(x, &of(&[1.0]), &zero));
        close(&[crps], &[1e4 - 1.0 / std::f64::consts::PI.sqrt()], 1e-9);
        assert_eq!(slopes, [sign]);
    }
}

#[test]
fn vectors_of_1e4_have_the_cosine_of_their_directions() {
    let root = std::f64::consts::FRAC_1_SQRT_2;
    for scale in [1e4, -1e4] {
        let (a, b) = (of(&[scale, 0.0]), of(&[scale, scale]));
        // The derivative of the cosine lies across the vector, 1 / |a| of that of a vector of length 1.
        for (target, sign, margin) in [(1i64, -1.0, 0.0), (-1, 1.0, 0.0), (-1, 1.0, 0.5)] {
            let options = CosineEmbeddingLoss::default().margin(margin);
            let (loss, slopes) = of_first(&a, |a| options.loss(a, &b, &Tensor::scalar(target)));
            close(&[loss], &[if target == 1 { 1.0 - root } else { root - margin }], 1e-12);
            close(&slopes, &[0.0, sign * root / scale], 1e-16);
        }
    }
    // A thousand elements of that size, alike and opposite.
    let long = |sign: f64| V::new(Tensor::full([1000], sign * 1e4));
    for (sign, expected) in [(1.0, 0.0), (-1.0, 2.0)] {
        let loss = |a: &V| cosine_embedding_loss(a, &long(sign), &Tensor::scalar(1i64));
        let (loss, slopes) = of_first(&long(1.0), loss);
        close(&[loss], &[expected], 1e-12);
        close(&slopes, &[0.0; 1000], 1e-18);
    }
}

#[test]
fn kinks_have_the_derivative_in_the_middle() {
    let zero = of(&[0.0]);
    assert_eq!(of_first(&zero, |x| l1_loss(x, &zero)), (0.0, vec![0.0]));
    assert_eq!(of_first(&zero, |x| quantile_loss(x, &zero, &[0.75])), (0.0, vec![-0.25]));
    let same = Variable::new(Tensor::from([[1.0, 1.0]]));
    let at_margin = CosineEmbeddingLoss::default().margin(1.0);
    let (loss, slopes) = of_first(&same, |x| at_margin.loss(x, &same, &Tensor::from([-1i64])));
    assert_eq!(loss, 0.0);
    close(&slopes, &[0.0, 0.0], 1e-12);
}

#[test]
fn vectors_of_zeros_have_a_cosine_of_zero_and_finite_gradients() {
    let (zero, one) = (Variable::new(Tensor::from([[0.0, 0.0]])), Variable::new(Tensor::from([[1.0, 0.0]])));
    let (loss, slopes) = of_first(&zero, |x| cosine_embedding_loss(x, &one, &Tensor::from([1i64])));
    assert_eq!(loss, 1.0);
    assert!(slopes.iter().all(|slope| slope.is_finite()));
}

#[test]
fn a_variance_below_the_least_one_counts_as_that_and_keeps_its_gradient() {
    let (x, y) = (of(&[1.0]), of(&[0.0]));
    let loss = |eps: f64, var: f64| {
        let options = GaussianNllLoss::default().eps(eps);
        of_first(&of(&[var]), |var| options.loss(&x, &y, var))
    };
    let expected = (0.5 * (0.01f64.ln() + 100.0), 0.5 * (100.0 - 1e4));
    for var in [0.0, 1e-9, 0.01] {
        let (loss, slopes) = loss(0.01, var);
        close(&[loss, slopes[0]], &[expected.0, expected.1], 1e-9);
    }
}

#[test]
fn a_variance_may_be_one_for_each_vector() {
    let (x, y) = (Variable::new(Tensor::from([[1.0, 2.0]])), Variable::new(Tensor::from([[0.0, 0.0]])));
    let loss = |var: Tensor<f64>| gaussian_nll_loss(&x, &y, &Variable::new(var)).unwrap().item().unwrap();
    let expected = 0.5 * (4f64.ln() + (1.0 + 4.0) / 8.0);
    close(
        &[loss(Tensor::from([[4.0]])), loss(Tensor::from([4.0])), loss(Tensor::from([[4.0, 4.0]]))],
        &[expected; 3],
        1e-15,
    );
}

#[test]
fn rates_of_zero_have_a_logarithm() {
    let loss = PoissonNllLoss::default().log_input(false);
    let (value, slopes) = of_first(&of(&[0.0]), |x| loss.loss(x, &of(&[2.0])));
    close(&[value, slopes[0]], &[-2.0 * 1e-8f64.ln(), 1.0 - 2e8], 1e-6);
    assert_eq!(of_first(&of(&[-1e4]), |x| poisson_nll_loss(x, &of(&[0.0]))), (0.0, vec![0.0]));
}

#[test]
fn mixtures_of_components_far_away_keep_their_likelihood() {
    let row = |v: [f64; 2]| Variable::new(Tensor::from([v]));
    let half_ln_tau = 0.5 * std::f64::consts::TAU.ln();
    let target = of(&[0.0]);
    let (loss, slopes) = of_first(&row([1e4, -1e4]), |logits| {
        mixture_nll_loss(logits, &row([1e4, 0.0]), &row([0.0, 0.0]), &target)
    });
    // 20000 nats of weight beside half of 1e8 of distance.
    close(&[loss], &[2e4 + half_ln_tau], 1e-9);
    close(&slopes, &[1.0, -1.0], 1e-9);
    let (loss, slopes) = of_first(&row([0.0, 0.0]), |means| {
        mixture_nll_loss(&row([0.0, 0.0]), means, &row([0.0, 0.0]), &of(&[1e4]))
    });
    close(&[loss], &[0.5e8 + half_ln_tau], 1e-6);
    close(&slopes, &[-5e3, -5e3], 1e-6);
}

#[test]
fn quantiles_have_an_axis_of_their_own() {
    let x = Variable::new(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    let y = of(&[2.0, 2.0]);
    let loss = wengert_nn::loss::QuantileLoss::default().reduction(Reduction::None);
    close(&loss.loss(&x, &y, &[0.25, 0.75]).unwrap().to_vec(), &[0.25, 0.0, 0.75, 0.5], 1e-15);
}

#[test]
fn log_probabilities_that_no_target_names_may_be_infinite() {
    let x = Variable::new(Tensor::from([[-1.0, f64::NEG_INFINITY]]));
    assert_eq!(of_first(&x, |x| nll_loss(x, &Tensor::from([0i64]))), (1.0, vec![-1.0, 0.0]));
    assert_eq!(nll_loss(&x, &Tensor::from([1i64])).unwrap().item().unwrap(), f64::INFINITY);
}
