//! Activations that draw, against naive references that draw the same numbers.

use wengert_check::Gradcheck;
use wengert_core::{Tensor, manual_seed};
use wengert_nn::{Cast, Module, Rrelu, gumbel_softmax, gumbel_softmax_hard, rrelu};

use crate::{V, close, variable};

/// Numbers that are none of them near 0, where slopes change.
fn input() -> V {
    V::new(Tensor::from([[-1.7, -0.7, 0.4], [0.8, -3.6, 2.7]])).requires_grad_(true)
}

#[test]
fn slopes_are_drawn_for_what_is_not_positive() {
    let x = V::new(Tensor::from([-2.0, -0.5, 0.0, 0.5, 3.0, f64::INFINITY]));
    manual_seed(5);
    let slopes = Tensor::<f64>::uniform([6], 0.2, 0.7).to_vec();
    let naive = |(x, a): (f64, f64)| if x > 0.0 { x } else { a * x };
    let expected: Vec<f64> = x.to_vec().into_iter().zip(slopes).map(naive).collect();
    manual_seed(5);
    assert_eq!(rrelu(&x, 0.2, 0.7).unwrap().to_vec(), expected);
    assert_eq!(rrelu(&x, 0.5, 0.5).unwrap().to_vec(), [-1.0, -0.25, 0.0, 0.5, 3.0, f64::INFINITY]);
}

#[test]
fn slopes_are_spread_over_their_range_and_their_mean_is_evaluated() {
    manual_seed(1);
    let mut layer = Rrelu::new().cast::<f64>();
    assert_eq!(layer.to_string(), "RReLU(lower=0.125, upper=0.3333333333333333)");
    let x = V::new(Tensor::full([10_000], -1.0));
    let slopes: Vec<f64> = layer.forward(&x).unwrap().to_vec().iter().map(|y| -y).collect();
    let mean = slopes.iter().sum::<f64>() / 1e4;
    let variance = slopes.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / 1e4;
    let width = 1.0 / 3.0 - 1.0 / 8.0;
    assert!(slopes.iter().all(|a| (0.125..1.0 / 3.0).contains(a)));
    assert!((mean - 11.0 / 48.0).abs() < 5.0 * width / (12e4f64).sqrt(), "{mean}");
    assert!((variance * 12.0 / (width * width) - 1.0).abs() < 0.05, "{variance}");
    layer.eval();
    // PyTorch's: F.rrelu(x) of [-1, 0, 2].
    let x = V::new(Tensor::from([-1.0, 0.0, 2.0]));
    close(&layer.forward(&x).unwrap().to_vec(), &[-0.22916666666666666, 0.0, 2.0], 1e-15);
    layer.train();
    assert_ne!(layer.forward(&x).unwrap().to_vec()[0], -0.22916666666666666);
}

#[test]
fn bounds_and_temperatures_out_of_range_are_refused() {
    let error = Rrelu::with_bounds(0.5, 0.25).unwrap_err().to_string();
    assert_eq!(error, "RReLU: lower and upper must be finite, lower at most upper, got 0.5 and 0.25");
    assert!(rrelu(&variable(&[2]), 0.0, f64::INFINITY).is_err());
    for tau in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = gumbel_softmax(&variable(&[2]), tau, 0).unwrap_err().to_string();
        assert_eq!(error, format!("gumbel_softmax: tau must be above 0 and finite, got {tau}"));
        assert!(gumbel_softmax_hard(&variable(&[2]), tau, 0).is_err());
    }
}

/// The softmax of `(x + g) / tau` along an axis of a matrix, element by element.
fn naive(x: &V, draws: &[f64], tau: f64, axis: usize) -> Vec<f64> {
    let [rows, columns] = [x.shape()[0], x.shape()[1]];
    let noisy = x.to_vec().into_iter().zip(draws).map(|(x, u)| ((x - (-u.ln()).ln()) / tau).exp());
    let powers: Vec<f64> = noisy.collect();
    let total = |i: usize| -> f64 {
        match axis {
            0 => (0..rows).map(|r| powers[r * columns + i % columns]).sum(),
            _ => (0..columns).map(|c| powers[i / columns * columns + c]).sum(),
        }
    };
    (0..powers.len()).map(|i| powers[i] / total(i)).collect()
}

#[test]
fn relaxed_draws_are_softmaxes_of_disturbed_logits() {
    for (tau, axis) in [(1.0, 1), (0.3, 0), (4.0, 1)] {
        let x = variable(&[5, 4]);
        manual_seed(9);
        let draws = Tensor::<f64>::rand([5, 4]).to_vec();
        let expected = naive(&x, &draws, tau, axis);
        for dim in [axis as isize, axis as isize - 2] {
            manual_seed(9);
            close(&gumbel_softmax(&x, tau, dim).unwrap().to_vec(), &expected, 1e-12);
            manual_seed(9);
            let hard = gumbel_softmax_hard(&x, tau, dim).unwrap().to_vec();
            let largest = |i: usize| {
                let same = |j: &usize| if axis == 0 { j % 4 == i % 4 } else { j / 4 == i / 4 };
                (0..20).filter(same).all(|j| expected[j] <= expected[i])
            };
            let ones: Vec<f64> = (0..20).map(|i| if largest(i) { 1.0 } else { 0.0 }).collect();
            assert_eq!(hard, ones, "tau {tau}, axis {axis}");
        }
    }
}

#[test]
fn hard_draws_come_as_often_as_the_softmax_says() {
    const DRAWS: usize = 20_000;
    manual_seed(2);
    let shares = [0.5, 0.3, 0.15, 0.05f64];
    let logits = V::new(Tensor::from_fn([DRAWS, 4], |i| shares[i % 4].ln()));
    let drawn = gumbel_softmax_hard(&logits, 0.7, 1).unwrap();
    for (found, share) in drawn.mean_dim(&[0]).to_vec().into_iter().zip(shares) {
        let deviation = (share * (1.0 - share) / DRAWS as f64).sqrt();
        assert!((found - share).abs() < 4.5 * deviation, "{found}, expected {share}");
    }
}

/// A function that draws the same each time.
fn seeded(f: impl Fn(&V) -> V) -> impl Fn(&[V]) -> V {
    move |x| {
        manual_seed(4);
        f(&x[0])
    }
}

#[test]
fn first_and_second_derivatives_are_those_of_differences() {
    let x = input();
    let drawn = seeded(|x| rrelu(x, 0.1, 0.4).unwrap());
    let relaxed = seeded(|x| gumbel_softmax(x, 0.8, 1).unwrap());
    for order in [1, 2] {
        let check = Gradcheck::new();
        check.check_order(order, &drawn, &[&x]).unwrap();
        check.check_order(order, &relaxed, &[&x]).unwrap();
    }
}

#[test]
fn a_hard_draw_has_the_derivatives_of_the_relaxed_one() {
    let c = variable(&[2, 3]);
    let gradient = |draw: fn(&V, f64, isize) -> wengert_core::Result<V>| {
        let x = input();
        manual_seed(4);
        (draw(&x, 0.8, -1).unwrap() * &c).sum().backward().unwrap();
        x.grad().unwrap().to_vec()
    };
    assert_eq!(gradient(gumbel_softmax_hard), gradient(gumbel_softmax));
}
