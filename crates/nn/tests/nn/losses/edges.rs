//! Losses at numbers whose squares, reciprocals or exponentials are no numbers of their type.

use wengert_core::{Float, Tensor, Variable};
use wengert_nn::loss::*;
use wengert_nn::{crps_normal_loss, mixture_nll_loss};

use crate::close;

/// A loss of numbers and its gradients in each of them, computed in `T`.
fn derived<T: Float, const N: usize>(
    numbers: [f64; N],
    loss: impl Fn(&[Variable<T>; N]) -> Variable<T>,
) -> Vec<f64> {
    let leaves = numbers
        .map(|x| Variable::new(Tensor::from_vec(vec![T::from_f64(x)], [1]).unwrap()).requires_grad_(true));
    let loss = loss(&leaves);
    loss.backward().unwrap();
    let gradients = leaves.iter().map(|leaf| leaf.grad().unwrap().to_vec()[0].to_f64());
    [loss.item().unwrap().to_f64()].into_iter().chain(gradients).collect()
}

fn crps<T: Float>(mean: f64, std: f64, target: f64) -> Vec<f64> {
    derived::<T, 3>([mean, std, target], |[mean, std, target]| crps_normal_loss(mean, std, target).unwrap())
}

#[test]
fn a_crps_of_any_deviation_is_the_distance_of_the_mean_less_its_share() {
    let share = std::f64::consts::PI.sqrt().recip();
    for sign in [1.0, -1.0] {
        for std in [1e-3, 1e-10, 1e-20, 1e-30, 1e-40] {
            for target in [1.0, 1e10, 1e30] {
                let target = sign * target;
                let expected = [1.0, -sign, -share, sign];
                let mut got = crps::<f32>(0.0, std, target);
                got[0] /= target.abs();
                close(&got, &expected, 1e-3);
                let mut got = crps::<f64>(0.0, std * std * std, target);
                got[0] /= target.abs();
                close(&got, &expected, 1e-6);
            }
        }
    }
}

#[test]
fn a_crps_at_its_mean_has_the_slopes_of_the_middle() {
    let middle =
        (2.0 / std::f64::consts::TAU).sqrt() * std::f64::consts::SQRT_2 - std::f64::consts::PI.sqrt().recip();
    for std in [1.0, 1e-10, 1e-20, 1e-30, 1e-37] {
        close(&crps::<f32>(0.5, std, 0.5), &[middle * std, 0.0, middle, 0.0], 1e-6);
    }
    assert!(crps::<f32>(0.5, 1e-42, 0.5).iter().all(|x| x.is_finite()));
}

#[test]
fn a_crps_is_smooth_where_its_tail_begins() {
    for z in [13.999999, 14.000001] {
        let share = std::f64::consts::PI.sqrt().recip();
        close(&crps::<f64>(0.0, 2.0, 2.0 * z), &[2.0 * z - 2.0 * share, -1.0, -share, 1.0], 1e-14);
    }
}

/// The loss of one component and its gradients in mean, log-scale and target.
fn mixture<T: Float>(mean: f64, log_scale: f64, target: f64) -> Vec<f64> {
    derived::<T, 3>([mean, log_scale, target], |[mean, log_scale, target]| {
        let row = |x: &Variable<T>| x.reshape([1, 1]);
        let logits = Variable::from(Tensor::zeros([1, 1]));
        mixture_nll_loss(&logits, &row(mean), &row(log_scale), target).unwrap()
    })
}

#[test]
fn a_mixture_at_a_mean_has_the_density_of_any_scale() {
    let half_ln_tau = 0.5 * std::f64::consts::TAU.ln();
    for log_scale in [-1.0, -50.0, -100.0, -1000.0, 100.0] {
        let expected = [log_scale + half_ln_tau, 0.0, 1.0, 0.0];
        close(&mixture::<f32>(0.25, log_scale, 0.25), &expected, 1e-4);
        close(&mixture::<f64>(0.25, log_scale, 0.25), &expected, 1e-10);
    }
}

#[test]
fn a_component_too_narrow_for_the_target_leaves_it_to_the_others() {
    let of = |rows: [f32; 2]| Variable::new(Tensor::from([rows])).requires_grad_(true);
    let (logits, means, log_scales) = (of([0.0, 0.0]), of([0.0, 1.0]), of([-100.0, 0.0]));
    let loss =
        mixture_nll_loss(&logits, &means, &log_scales, &Variable::new(Tensor::from([1.0f32]))).unwrap();
    loss.backward().unwrap();
    close(&[f64::from(loss.item().unwrap())], &[2f64.ln() + 0.5 * std::f64::consts::TAU.ln()], 1e-6);
    for (leaf, expected) in [(&logits, [0.5, -0.5]), (&means, [0.0, 0.0]), (&log_scales, [0.0, 1.0])] {
        let got: Vec<f64> = leaf.grad().unwrap().to_vec().iter().map(|&x| f64::from(x)).collect();
        close(&got, &expected, 1e-6);
    }
}

#[test]
fn a_mean_is_the_same_in_any_unit_of_the_weights() {
    let numbers = |x: [f32; 3]| Variable::new(Tensor::from(x)).requires_grad_(true);
    for unit in [1e-41f32, 1e-30, 1e-12, 1.0, 1e12, 1e30, 1.7e38] {
        let x = numbers([1.0, 2.0, 4.0]);
        let weight = Tensor::from([unit, 2.0 * unit, 0.0]);
        let target = Variable::from(Tensor::zeros([3]));
        let loss = MseLoss::default().weight(&weight).loss(&x, &target).unwrap();
        loss.backward().unwrap();
        assert!((loss.item().unwrap() - 3.0).abs() < 1e-3, "{unit}: {loss:?}");
        let slopes = x.grad().unwrap().to_vec();
        assert!(
            (slopes[0] - 2.0 / 3.0).abs() < 1e-3 && (slopes[1] - 8.0 / 3.0).abs() < 1e-3,
            "{unit}: {slopes:?}"
        );
    }
}

#[test]
fn a_mean_is_the_same_where_the_weights_sum_is_no_number() {
    for unit in [1e-310, 1e308] {
        let weight = Tensor::from([unit, unit, unit]);
        let (x, zero) = (Variable::new(Tensor::from([1.0f64, 2.0, 4.0])), Variable::from(Tensor::zeros([3])));
        let loss = MseLoss::default().weight(&weight).loss(&x, &zero).unwrap().item().unwrap();
        assert!((loss - 7.0).abs() < 1e-12, "{unit}: {loss}");
    }
}

#[test]
fn a_mean_over_classes_is_the_same_in_any_unit_of_their_weights() {
    let (logits, targets) =
        (Variable::new(Tensor::from([[0.0f32, 1.0], [2.0, 0.5]])), Tensor::from([0i64, 1]));
    let all = |unit: f32, smoothing: f64| {
        let weight = Tensor::from([unit, 2.0 * unit]);
        let options = CrossEntropyLoss::default().class_weight(&weight).label_smoothing(smoothing);
        let nll = NllLoss::default().class_weight(&weight);
        [options.loss(&logits, &targets), nll.loss(&logits.log_softmax(-1), &targets)]
            .map(|loss| loss.unwrap().item().unwrap())
    };
    for smoothing in [0.0, 0.25] {
        let expected = all(1.0, smoothing);
        for unit in [1e-41, 1e-30, 1e30, 1.7e38] {
            let got = all(unit, smoothing);
            assert!(
                got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3),
                "{unit}: {got:?} {expected:?}"
            );
        }
    }
}
