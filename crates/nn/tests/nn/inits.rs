//! Initialisers: bounds, moments, orthogonality.

use wengert_core::{Error, Parameter, Result, Tensor};
use wengert_nn::init::{self, FanMode};
use wengert_nn::{Embedding, LayerNorm, Nonlinearity};

use crate::close;

type Init = dyn Fn(&Parameter<f64>) -> Result<()>;

fn start(shape: &[usize], init: impl Fn(&Parameter<f64>) -> Result<()>) -> Vec<f64> {
    let parameter = Parameter::new(Tensor::full(shape, f64::NAN));
    init(&parameter).unwrap();
    assert_eq!(parameter.shape(), shape);
    assert!(parameter.requires_grad());
    parameter.to_vec()
}

/// Mean, deviation, and the mean fourth power of the distance in deviations.
fn moments(x: &[f64]) -> [f64; 3] {
    let mean_of = |f: &dyn Fn(f64) -> f64| x.iter().map(|&x| f(x)).sum::<f64>() / x.len() as f64;
    let mean = mean_of(&|x| x);
    let std = mean_of(&|x| (x - mean).powi(2)).sqrt();
    [mean, std, mean_of(&|x| ((x - mean) / std).powi(4))]
}

#[track_caller]
fn is_uniform(x: &[f64], low: f64, high: f64) {
    let width = high - low;
    let (least, most) = x.iter().fold((f64::MAX, f64::MIN), |(a, b), &x| (a.min(x), b.max(x)));
    assert!(least >= low && most <= high, "{least} to {most}");
    assert!(least < low + 0.01 * width && most > high - 0.01 * width, "{least} to {most}");
    let [mean, std, kurtosis] = moments(x);
    assert!((mean - (low + high) / 2.0).abs() < 0.02 * width, "mean {mean}");
    assert!((std / width * 12f64.sqrt() - 1.0).abs() < 0.03, "deviation {std}");
    assert!((kurtosis - 1.8).abs() < 0.1, "kurtosis {kurtosis}");
}

#[track_caller]
fn is_normal(x: &[f64], mean: f64, std: f64) {
    let [got_mean, got_std, kurtosis] = moments(x);
    assert!((got_mean - mean).abs() < 0.06 * std, "mean {got_mean}");
    assert!((got_std / std - 1.0).abs() < 0.04, "deviation {got_std}");
    assert!((kurtosis - 3.0).abs() < 0.5, "kurtosis {kurtosis}");
}

#[test]
fn uniform_fills_its_interval() {
    is_uniform(&start(&[100, 100], |p| init::uniform(p, -0.5, 2.0)), -0.5, 2.0);
}

#[test]
fn normal_has_its_mean_and_deviation() {
    is_normal(&start(&[100, 100], |p| init::normal(p, 1.5, 0.25)), 1.5, 0.25);
}

#[test]
fn constant_is_one_value_everywhere() {
    assert_eq!(start(&[3, 2], |p| init::constant(p, -0.5)), [-0.5; 6]);
}

#[test]
fn xavier_follows_both_fans() {
    // Fans 60 and 140; with a field of 3, three times that.
    let bound = 2.0 * (6.0 / 200f64).sqrt();
    is_uniform(&start(&[140, 60], |p| init::xavier_uniform(p, 2.0)), -bound, bound);
    is_normal(&start(&[140, 60], |p| init::xavier_normal(p, 2.0)), 0.0, 2.0 * (2.0 / 200f64).sqrt());
    is_normal(&start(&[140, 60, 3], |p| init::xavier_normal(p, 1.0)), 0.0, (2.0 / 600f64).sqrt());
}

#[test]
fn kaiming_follows_the_fan_it_is_told() {
    for (mode, fan) in [(FanMode::FanIn, 60.0f64), (FanMode::FanOut, 140.0)] {
        let bound = 2.0 * (3.0 / fan).sqrt();
        is_uniform(&start(&[140, 60], |p| init::kaiming_uniform(p, mode, 2.0)), -bound, bound);
        is_normal(&start(&[140, 60], |p| init::kaiming_normal(p, mode, 2.0)), 0.0, 2.0 / fan.sqrt());
        is_normal(
            &start(&[140, 60, 3], |p| init::kaiming_normal(p, mode, 1.0)),
            0.0,
            1.0 / (3.0 * fan).sqrt(),
        );
    }
    assert_eq!(FanMode::default(), FanMode::FanIn);
}

/// The products of all pairs of rows of a matrix, or of its columns if they are fewer.
fn gram(x: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let at = |i: usize, k: usize| if rows <= columns { x[i * columns + k] } else { x[k * columns + i] };
    let (count, width) = (rows.min(columns), rows.max(columns));
    let product = |i: usize, j: usize| (0..width).map(|k| at(i, k) * at(j, k)).sum::<f64>();
    (0..count * count).map(|ij| product(ij / count, ij % count)).collect()
}

#[test]
fn orthogonal_has_orthonormal_rows_or_columns_times_its_gain() {
    for (shape, gain) in [([40, 40], 1.0), ([10, 70], 1.0), ([70, 10], 0.5), ([1, 1], 3.0), ([1, 8], 2.0)] {
        let x = start(&shape, |p| init::orthogonal(p, gain));
        let count = shape[0].min(shape[1]);
        let identity: Vec<f64> = Tensor::<f64>::eye(count).to_vec().iter().map(|x| x * gain * gain).collect();
        close(&gram(&x, shape[0], shape[1]), &identity, 1e-12);
    }
}

#[test]
fn orthogonal_sees_the_axes_behind_the_first_as_one() {
    let x = start(&[4, 3, 5], |p| init::orthogonal(p, 1.0));
    close(&gram(&x, 4, 15), &Tensor::<f64>::eye(4).to_vec(), 1e-12);
}

#[test]
fn orthogonal_matrices_have_no_preferred_direction() {
    let corner = |_| start(&[3, 3], |p| init::orthogonal(p, 1.0))[0];
    let [mean, std, _] = moments(&(0..3000).map(corner).collect::<Vec<f64>>());
    assert!(mean.abs() < 0.05 && (std - (1.0 / 3f64).sqrt()).abs() < 0.05, "{mean} {std}");
}

#[test]
fn initialisers_by_fans_refuse_a_vector_and_leave_it_alone() {
    let all: [(&str, &Init); 5] = [
        ("xavier_uniform", &|p| init::xavier_uniform(p, 1.0)),
        ("xavier_normal", &|p| init::xavier_normal(p, 1.0)),
        ("kaiming_uniform", &|p| init::kaiming_uniform(p, FanMode::FanIn, 1.0)),
        ("kaiming_normal", &|p| init::kaiming_normal(p, FanMode::FanIn, 1.0)),
        ("orthogonal", &|p| init::orthogonal(p, 1.0)),
    ];
    for (name, init) in all {
        let vector = Parameter::new(Tensor::ones([3]));
        let error = init(&vector).unwrap_err();
        assert!(matches!(error, Error::Shape { .. }));
        assert_eq!(error.to_string(), format!("{name}: expected a parameter of two axes or more, got [3]"));
        assert_eq!(vector.to_vec(), [1.0; 3]);
    }
}

#[test]
fn gains_are_those_of_pytorch() {
    assert_eq!(init::gain(Nonlinearity::Tanh), 5.0 / 3.0);
    assert_eq!(init::gain(Nonlinearity::Relu), 2f64.sqrt());
}

#[test]
fn an_embedding_starts_normal_and_a_layer_norm_as_identity() {
    let weight = Embedding::new(100, 100).unwrap().weight;
    is_normal(&weight.cast::<f64>().to_vec(), 0.0, 1.0);
    let norm = LayerNorm::new([3]);
    assert_eq!((norm.weight.to_vec(), norm.bias.to_vec()), (vec![1.0; 3], vec![0.0; 3]));
}
